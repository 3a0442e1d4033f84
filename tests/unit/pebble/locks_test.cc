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

}  // namespace
}  // namespace penstock::driver
