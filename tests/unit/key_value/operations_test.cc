// Operations outside a transaction.
#include <algorithm>
#include <chrono>
#include <thread>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "tests/unit/key_value/fixture.h"

namespace penstock::driver {
namespace {

using Operations = KeyValueTest;
PENSTOCK_ON_EACH_DRIVER(Operations);

TEST_P(Operations, WhatWasPutIsThere) {
  Write({Put("a", "1")});
  Write({Put("b", "2"), Put("c", "")});
  EXPECT_EQ(Get({"a"}), (Entries{{"a", "1"}}));
  EXPECT_EQ(Get({"c", "a", "nothing", "a"}), (Entries{{"a", "1"}, {"c", ""}}));
  Write({Put("a", "new")});
  EXPECT_EQ(Get({"a"}), (Entries{{"a", "new"}}));
  Write({Delete("a"), Delete("nothing")});
  EXPECT_EQ(Get({"a"}), Entries{});
  EXPECT_EQ(Get({}), Entries{});
}

TEST_P(Operations, KeepsWhatItHasAcrossOpenings) {
  Write({Put("a", "1")}, "first");
  Write({Put("b", "2")}, "second");
  Open();
  EXPECT_EQ(Scan({}, "first"), (Entries{{"a", "1"}}));
  EXPECT_EQ(Scan({}, "second"), (Entries{{"b", "2"}}));
}

TEST_P(Operations, OrderIsBytewiseAndKeysAreAnyBytes) {
  const std::string zero("\0", 1);
  const std::string zeros("\0\0", 2);
  const std::vector<std::string> ordered = {zero,       zeros,  zero + "a", "A",    "a",
                                            "a" + zero, "aa",   "b",        "\x7f", "\x80",
                                            "\xc3\xa9", "\xff", "\xff\xff"};
  for (auto key = ordered.rbegin(); key != ordered.rend(); ++key) Write({Put(*key, *key)});
  Entries wanted;
  for (const std::string& key : ordered) wanted.emplace_back(key, key);
  EXPECT_EQ(Scan(), wanted);
  EXPECT_EQ(Get({zeros}), (Entries{{zeros, zeros}}));
}

TEST_P(Operations, ScansRangesBothWays) {
  Write({Put("a", "1"), Put("b", "2"), Put("c", "3"), Put("d", "4")});
  EXPECT_EQ(Scan({.start = "b", .end = "d"}), (Entries{{"b", "2"}, {"c", "3"}}));
  EXPECT_EQ(Scan({.start = "bb", .end = {}}), (Entries{{"c", "3"}, {"d", "4"}}));
  EXPECT_EQ(Scan({.start = "c", .end = "c"}), Entries{});
  EXPECT_EQ(Scan({.start = "d", .end = "a"}), Entries{});
  const OperationPtr scan = MakeScan({.start = "b", .end = std::nullopt});
  scan->operation.reverse = true;
  scan->operation.keys_only = true;
  scan->operation.limit = 2;
  Run(scan.get());
  ASSERT_TRUE(scan->run.status.ok()) << scan->run.status;
  EXPECT_EQ(scan->output.entries, (Entries{{"d", ""}, {"c", ""}}));
  EXPECT_EQ(scan->output.column_count, 1u);
  const OperationPtr below = MakeScan({.start = "a", .end = "c"});
  below->operation.reverse = true;
  Run(below.get());
  EXPECT_EQ(below->output.entries, (Entries{{"b", "2"}, {"a", "1"}}));
}

TEST_P(Operations, AKeyspaceThatIsNotThereIsEmpty) {
  EXPECT_EQ(Get({"a"}, "nowhere"), Entries{});
  EXPECT_EQ(Scan({}, "nowhere"), Entries{});
  Write({DeleteRange("", std::nullopt)}, "nowhere");
  Write({Delete("a")}, "nowhere");
  const OperationPtr get = MakeGet({"a"}, "nowhere");
  Run(get.get());
  EXPECT_EQ(get->output.begun, 1);
  // Conditions see it as empty, too.
  EXPECT_FALSE(WriteIf({Absent("b"), Present("a")}, {Put("a", "1")}));
  EXPECT_TRUE(WriteIf({Absent("a")}, {Put("a", "1")}));
  EXPECT_EQ(Scan(), (Entries{{"a", "1"}}));
}

TEST_P(Operations, DeletesRangesAndCounts) {
  Write({Put("a", "1"), Put("b", "2"), Put("c", "3"), Put("d", "4")});
  const OperationPtr some = MakeWrite({DeleteRange("b", "d")});
  Run(some.get());
  ASSERT_TRUE(some->run.status.ok()) << some->run.status;
  EXPECT_EQ(some->run.summary.rows_affected, 2);
  EXPECT_EQ(Scan(), (Entries{{"a", "1"}, {"d", "4"}}));
  Write({DeleteRange("d", "a")});
  EXPECT_EQ(Scan().size(), 2u);
  const OperationPtr all = MakeWrite({DeleteRange("", std::nullopt)});
  Run(all.get());
  EXPECT_EQ(all->run.summary.rows_affected, 2);
  EXPECT_EQ(Scan(), Entries{});
}

TEST_P(Operations, MutationsApplyInTheirOrder) {
  Write({Put("a", "1"), Delete("a"), Put("b", "1"), DeleteRange("a", "z"), Put("c", "1"),
         Put("c", "2"), Delete("d"), Put("d", "3"), Put("e", "1"), Delete("e")});
  EXPECT_EQ(Scan(), (Entries{{"c", "2"}, {"d", "3"}}));
}

TEST_P(Operations, ConditionsHoldTogetherOrNothingIsDone) {
  Write({Put("a", "1"), Put("b", "2")});
  EXPECT_TRUE(WriteIf({Equals("a", "1"), Present("b"), Absent("c")}, {Put("a", "2"), Delete("b")}));
  EXPECT_EQ(Scan(), (Entries{{"a", "2"}}));
  const OperationPtr write =
      MakeWrite({Put("a", "3"), Put("x", "")}, {Equals("a", "2"), Absent("b"), Equals("a", "1")});
  Run(write.get());
  ASSERT_TRUE(write->run.status.ok()) << write->run.status;
  EXPECT_EQ(write->operation.failed_condition, 2u);
  EXPECT_FALSE(WriteIf({Absent("a")}, {Put("a", "3")}));
  EXPECT_FALSE(WriteIf({Present("b")}, {Put("a", "3")}));
  EXPECT_FALSE(WriteIf({Equals("b", "")}, {Put("a", "3")}));
  EXPECT_EQ(Scan(), (Entries{{"a", "2"}}));
  // They see what was there before, and may come without mutations.
  EXPECT_TRUE(WriteIf({Absent("n")}, {Put("n", "1"), Put("n", "2")}));
  EXPECT_TRUE(WriteIf({Equals("n", "2")}, {}));
}

TEST_P(Operations, ManyTogetherHaveEachItsOwnOutcome) {
  std::vector<OperationPtr> operations;
  operations.push_back(MakeWrite({Put("a", "1")}, {}, "one"));
  operations.push_back(MakeWrite({Put("b", "1")}, {Present("nothing")}, "one"));
  operations.push_back(MakeWrite({Put("c", "1")}, {}, "two"));
  operations.push_back(MakeWrite({Put("d", "1")}, {Equals("a", "1")}, "one"));
  operations.push_back(MakeWrite({DeleteRange("", std::nullopt)}, {}, "two"));
  std::vector<StatementRun*> runs;
  for (const OperationPtr& operation : operations) runs.push_back(&operation->run);
  for (std::span<StatementRun* const> left = runs; !left.empty();) {
    const size_t together = std::max<size_t>(writer_->Together(left), 1);
    ASSERT_GE(together, 1u);
    left = left.subspan(writer_->RunBatch(left.first(together)));
  }
  for (const OperationPtr& each : operations)
    EXPECT_TRUE(each->run.status.ok()) << each->run.status;
  EXPECT_EQ(operations[1]->operation.failed_condition, 0u);
  EXPECT_EQ(operations[3]->operation.failed_condition, std::nullopt);
  EXPECT_EQ(operations[4]->run.summary.rows_affected, 1);
  EXPECT_EQ(Scan({}, "one"), (Entries{{"a", "1"}, {"d", "1"}}));
  EXPECT_EQ(Scan({}, "two"), Entries{});
}

TEST_P(Operations, AScanGoesOnBatchByBatchOnOneSnapshot) {
  std::vector<std::string> keys;
  std::vector<KeyMutation> mutations;
  for (int i = 0; i < 1000; ++i) keys.push_back(fmt::format("{:04}", i));
  for (const std::string& key : keys) mutations.push_back(Put(key, "old"));
  Write(mutations);
  const OperationPtr scan = MakeScan({});
  scan->run.limits.max_bytes = 100;
  StatementRun* const run = &scan->run;
  ASSERT_EQ(reader_->RunBatch({&run, 1}), 1u);
  ASSERT_TRUE(run->status.ok()) << run->status;
  ASSERT_NE(run->cursor, nullptr);
  EXPECT_LT(scan->output.entries.size(), 20u);
  Write({Put("0500", "new"), Delete("0600"), Put("0700a", "new")});
  Finish(scan.get());
  ASSERT_TRUE(run->status.ok()) << run->status;
  ASSERT_EQ(scan->output.entries.size(), keys.size());
  for (size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(scan->output.entries[i], Entry(keys[i], "old"));
  }
  EXPECT_EQ(run->summary.rows_returned, 1000);
}

TEST_P(Operations, AnAbandonedScanLeavesTheConnectionUsable) {
  for (int i = 0; i < 100; ++i) Write({Put(fmt::format("{}", i), std::string(100, 'v'))});
  {
    const OperationPtr scan = MakeScan({});
    scan->run.limits.max_bytes = 100;
    StatementRun* const run = &scan->run;
    ASSERT_EQ(reader_->RunBatch({&run, 1}), 1u);
    ASSERT_NE(run->cursor, nullptr);
  }
  ASSERT_TRUE(reader_->Reset().ok());
  EXPECT_EQ(Scan().size(), 100u);
}

TEST_P(Operations, WritesAHundredThousandAtOnce) {
  std::vector<std::string> keys;
  std::vector<KeyMutation> mutations;
  for (int i = 0; i < 50'000; ++i) keys.push_back(fmt::format("{:06}", i));
  for (const std::string& key : keys) {
    mutations.push_back(Put(key, key));
    mutations.push_back(key.ends_with('7') ? Delete(key) : Put(key, "v"));
  }
  const OperationPtr write = MakeWrite(mutations, {Absent("000000")});
  Run(write.get());
  ASSERT_TRUE(write->run.status.ok()) << write->run.status;
  EXPECT_EQ(Scan().size(), 45'000u);
  EXPECT_EQ(Get({"000008", "000007"}), (Entries{{"000008", "v"}}));
}

TEST_P(Operations, OneThatNobodyWantsDoesNotRun) {
  Cancellation cancellation;
  cancellation.Cancel(MakeError(Reason::kCancelled, "gone"));
  const OperationPtr cancelled = MakeWrite({Put("a", "1")});
  cancelled->run.cancellation = &cancellation;
  Run(cancelled.get());
  EXPECT_EQ(cancelled->reason(), Reason::kCancelled);
  const OperationPtr late = MakeWrite({Put("a", "1")}, {Absent("a")});
  late->run.deadline = {.at = std::chrono::steady_clock::now(), .reason = Reason::kRequestTimeout};
  Run(late.get());
  EXPECT_EQ(late->reason(), Reason::kRequestTimeout);
  EXPECT_EQ(Scan(), Entries{});
}

TEST_P(Operations, IncrementsByCompareAndSetLoseNone) {
  constexpr int kThreads = 4;
  constexpr int kEach = 25;
  Write({Put("n", "0")});
  std::vector<std::unique_ptr<Connection>> connections;
  // SQLite has one that writes; the others wait for it in their turn.
  for (int i = 0; i < kThreads; ++i) connections.push_back(Connect(Lane::kWrite));
  const auto increment = [](Connection* connection) {
    for (int done = 0; done < kEach;) {
      const OperationPtr get = MakeGet({"n"});
      StatementRun* run = &get->run;
      connection->RunBatch({&run, 1});
      if (!run->status.ok() || get->output.entries.empty()) return run->status;
      const std::string old = get->output.entries.front().second;
      const std::string next = std::to_string(std::stoi(old) + 1);
      const OperationPtr set = MakeWrite({Put("n", next)}, {Equals("n", old)});
      run = &set->run;
      connection->RunBatch({&run, 1});
      if (!run->status.ok() && GetErrorInfo(run->status).retry != Retry::kTransaction) {
        return run->status;
      }
      if (run->status.ok() && !set->operation.failed_condition.has_value()) ++done;
    }
    return absl::OkStatus();
  };
  std::vector<std::thread> threads;
  for (const auto& connection : connections) {
    threads.emplace_back([&] {
      const absl::Status status = increment(connection.get());
      EXPECT_TRUE(status.ok()) << status;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Get({"n"}), (Entries{{"n", std::to_string(kThreads * kEach)}}));
}

}  // namespace
}  // namespace penstock::driver
