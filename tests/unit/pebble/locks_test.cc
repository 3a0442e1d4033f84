// Transactions that meet, and operations that wait for them.
#include <chrono>
#include <thread>

#include "drivers/api/error.h"
#include "tests/unit/key_value/fixture.h"

namespace penstock::driver {
namespace {

class Locks : public KeyValueTest {
 protected:
  Locks() : other_(Connect(Lane::kWrite)) {}
  ~Locks() override { other_.reset(); }

  static OperationPtr Do(Connection* connection, OperationPtr operation) {
    connection->Run(operation->run);
    return operation;
  }

  std::unique_ptr<Connection> other_;
};
INSTANTIATE_TEST_SUITE_P(Drivers, Locks, ::testing::Values("pebble"));

TEST_P(Locks, AWriteThatTheSnapshotDoesNotKnowIsAConflict) {
  Write({Put("a", "1")});
  ASSERT_TRUE(other_->Begin({}).ok());
  Write({Put("a", "2")});
  const OperationPtr get = Do(other_.get(), MakeGet({"a"}));
  EXPECT_EQ(get->output.entries, (Entries{{"a", "1"}}));
  const OperationPtr put = Do(other_.get(), MakeWrite({Put("b", "x"), Put("a", "3")}));
  EXPECT_EQ(put->reason(), Reason::kSerializationFailure);
  EXPECT_EQ(GetErrorInfo(put->run.status).retry, Retry::kTransaction);
  // The operation is undone as a whole, and the transaction goes on.
  EXPECT_TRUE(Do(other_.get(), MakeWrite({Put("c", "4")}))->run.status.ok());
  ASSERT_TRUE(other_->Commit().ok());
  EXPECT_EQ(Scan(), (Entries{{"a", "2"}, {"c", "4"}}));
}

TEST_P(Locks, ReadCommittedSeesWhatIsNewest) {
  Write({Put("a", "1")});
  TransactionOptions options;
  options.isolation = Isolation::kReadCommitted;
  ASSERT_TRUE(other_->Begin(options).ok());
  Write({Put("a", "2")});
  EXPECT_EQ(Do(other_.get(), MakeGet({"a"}))->output.entries, (Entries{{"a", "2"}}));
  EXPECT_TRUE(Do(other_.get(), MakeWrite({Put("a", "3")}))->run.status.ok());
  ASSERT_TRUE(other_->Commit().ok());
}

TEST_P(Locks, SerializableIsRefused) {
  TransactionOptions options;
  options.isolation = Isolation::kSerializable;
  const absl::Status status = writer_->Begin(options);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented);
}

TEST_P(Locks, WhoWaitsForALockHoldsNobodyUp) {
  ASSERT_TRUE(other_->Begin({}).ok());
  ASSERT_TRUE(Do(other_.get(), MakeWrite({Put("locked", "1")}))->run.status.ok());
  const OperationPtr first = MakeWrite({Put("a", "1")});
  const OperationPtr blocked = MakeWrite({Put("locked", "2")});
  const OperationPtr last = MakeWrite({Put("b", "1")});
  StatementRun* runs[] = {&first->run, &blocked->run, &last->run};
  ASSERT_EQ(writer_->Together(runs), 3u);
  // The one in front of it is done; it is to be run alone.
  ASSERT_EQ(writer_->RunBatch(runs), 1u);
  EXPECT_TRUE(first->run.status.ok());
  EXPECT_EQ(Get({"a"}).size(), 1u);
  EXPECT_EQ(writer_->Together(std::span(runs).subspan(1)), 1u);
  // It waits as long as it may.
  ASSERT_EQ(writer_->RunBatch(std::span(runs).subspan(1, 1)), 1u);
  EXPECT_EQ(blocked->reason(), Reason::kBusy);
  // And is done as soon as it can be.
  std::thread thread([&] { writer_->RunBatch(std::span(runs).subspan(1, 1)); });
  ASSERT_TRUE(other_->Commit().ok());
  thread.join();
  EXPECT_TRUE(blocked->run.status.ok()) << blocked->run.status;
  EXPECT_EQ(Get({"locked"}), (Entries{{"locked", "2"}}));
}

TEST_P(Locks, AWaitEndsWithItsDeadlineOrItsClient) {
  ASSERT_TRUE(other_->Begin({}).ok());
  ASSERT_TRUE(Do(other_.get(), MakeWrite({Put("locked", "1")}))->run.status.ok());
  const OperationPtr late = MakeWrite({Put("locked", "2")});
  late->run.deadline = {.at = std::chrono::steady_clock::now() + std::chrono::milliseconds(100),
                        .reason = Reason::kRequestTimeout};
  Run(late.get());
  EXPECT_EQ(late->reason(), Reason::kRequestTimeout);
  Cancellation cancellation;
  const OperationPtr left = MakeWrite({Put("locked", "2")});
  left->run.cancellation = &cancellation;
  std::thread thread([&] { cancellation.Cancel(MakeError(Reason::kCancelled, "gone")); });
  Run(left.get());
  thread.join();
  EXPECT_EQ(left->reason(), Reason::kCancelled);
}

TEST_P(Locks, ADeadlockIsFoundAndToldToOne) {
  ASSERT_TRUE(writer_->Begin({}).ok());
  ASSERT_TRUE(other_->Begin({}).ok());
  ASSERT_TRUE(Do(writer_.get(), MakeWrite({Put("a", "1")}))->run.status.ok());
  ASSERT_TRUE(Do(other_.get(), MakeWrite({Put("b", "1")}))->run.status.ok());
  OperationPtr one;
  std::thread thread([&] { one = Do(writer_.get(), MakeWrite({Put("b", "2")})); });
  const OperationPtr two = Do(other_.get(), MakeWrite({Put("a", "2")}));
  // Whoever is told lets the other one go on.
  ASSERT_TRUE(other_->Rollback().ok());
  thread.join();
  const absl::Status& told = two->run.status.ok() ? one->run.status : two->run.status;
  EXPECT_EQ(told.code(), absl::StatusCode::kAborted) << told;
  EXPECT_EQ(GetErrorInfo(told).retry, Retry::kTransaction);
}

TEST_P(Locks, ADeletedRangeDoesNotCountWhatAnotherDeletedBeforeIt) {
  Write({Put("a", "1"), Put("b", "1"), Put("c", "1")});
  ASSERT_TRUE(other_->Begin({}).ok());
  ASSERT_TRUE(Do(other_.get(), MakeWrite({Delete("b")}))->run.status.ok());
  const OperationPtr range = MakeWrite({DeleteRange("a", "z")});
  std::thread thread([&] { Run(range.get()); });
  ASSERT_TRUE(other_->Commit().ok());
  thread.join();
  ASSERT_TRUE(range->run.status.ok()) << range->run.status;
  EXPECT_EQ(range->run.summary.rows_affected, 2);
  EXPECT_EQ(Scan(), Entries());
}

TEST_P(Locks, ADeletedRangeThatMetALockIsDoneAsItStandsThen) {
  Write({Put("a", "1")});
  ASSERT_TRUE(other_->Begin({}).ok());
  // One that is there, and one that is not yet.
  ASSERT_TRUE(Do(other_.get(), MakeWrite({Put("a", "2"), Put("b", "2")}))->run.status.ok());
  const OperationPtr range = MakeWrite({DeleteRange("a", "z")});
  std::thread thread([&] { Run(range.get()); });
  ASSERT_TRUE(other_->Commit().ok());
  thread.join();
  ASSERT_TRUE(range->run.status.ok()) << range->run.status;
  // It had to wait for a, so that b was there as well.
  EXPECT_EQ(range->run.summary.rows_affected, 2);
  EXPECT_EQ(Scan(), Entries());
}

TEST_P(Locks, ADeletedRangeIsDoneWhereItStandsInItsBatch) {
  const OperationPtr put = MakeWrite({Put("a", "1"), Put("b", "1")});
  const OperationPtr range = MakeWrite({DeleteRange("a", "b"), Put("c", "1")});
  const OperationPtr last = MakeWrite({Put("a", "2")});
  StatementRun* runs[] = {&put->run, &range->run, &last->run};
  for (size_t done = 0; done < 3;) done += writer_->RunBatch(std::span(runs).subspan(done));
  for (const StatementRun* run : runs) EXPECT_TRUE(run->status.ok()) << run->status;
  EXPECT_EQ(range->run.summary.rows_affected, 1);
  EXPECT_EQ(Scan(), (Entries{{"a", "2"}, {"b", "1"}, {"c", "1"}}));
}

TEST_P(Locks, InATransactionADeletedRangeIsThatOfItsSnapshot) {
  Write({Put("a", "1"), Put("b", "1")});
  ASSERT_TRUE(other_->Begin({}).ok());
  // The snapshot does not have it.
  Write({Put("c", "1")});
  const OperationPtr range = Do(other_.get(), MakeWrite({DeleteRange("a", "z")}));
  EXPECT_EQ(range->run.summary.rows_affected, 2);
  ASSERT_TRUE(other_->Commit().ok());
  EXPECT_EQ(Scan(), (Entries{{"c", "1"}}));
  // Whoever comes second to a key is told.
  Write({Put("a", "1")});
  ASSERT_TRUE(other_->Begin({}).ok());
  Write({Delete("a")});
  const OperationPtr late = Do(other_.get(), MakeWrite({DeleteRange("a", "z")}));
  EXPECT_EQ(late->reason(), Reason::kSerializationFailure);
}

TEST_P(Locks, AReadCommittedTransactionCountsWhatItDeleted) {
  Write({Put("a", "1"), Put("b", "1")});
  TransactionOptions options;
  options.isolation = Isolation::kReadCommitted;
  ASSERT_TRUE(writer_->Begin(options).ok());
  ASSERT_TRUE(other_->Begin(options).ok());
  ASSERT_TRUE(Do(writer_.get(), MakeWrite({Delete("a")}))->run.status.ok());
  OperationPtr range;
  std::thread thread([&] { range = Do(other_.get(), MakeWrite({DeleteRange("a", "z")})); });
  ASSERT_TRUE(writer_->Commit().ok());
  thread.join();
  EXPECT_TRUE(range->run.status.ok()) << range->run.status;
  EXPECT_EQ(range->run.summary.rows_affected, 1);
}

// In the order in which they were asked for each would wait for the other.
TEST_P(Locks, WritesOfTheSameKeysInAnyOrderDoNotStopEachOther) {
  constexpr int kRounds = 50;
  const auto write = [&](Connection* connection, std::string_view first, std::string_view second) {
    for (int i = 0; i < kRounds; ++i) {
      const OperationPtr operation = MakeWrite({Put(first, "1"), Put(second, "1")});
      StatementRun* runs[] = {&operation->run};
      while (connection->RunBatch(runs) == 0) {
      }
      EXPECT_TRUE(operation->run.status.ok()) << operation->run.status;
    }
  };
  std::thread thread([&] { write(other_.get(), "a", "b"); });
  write(writer_.get(), "b", "a");
  thread.join();
}

}  // namespace
}  // namespace penstock::driver
