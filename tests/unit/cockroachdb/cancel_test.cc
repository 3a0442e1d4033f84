// Cancels that are acted upon late, and drains.
#include <atomic>
#include <chrono>
#include <cstring>
#include <thread>

#include "gmock/gmock.h"
#include "tests/support/eventually.h"
#include "tests/unit/cockroachdb/fixture.h"

namespace penstock::cockroachdb {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLong(20'000);

class CancelTest : public DialogueTest {
 protected:
  CancelTest() {
    FakeAnswer slow = FakeCockroach::Text("slow");
    slow.takes = kLong;
    server_.Say("SELECT slow", slow);
    server_.server().DelayCancels(milliseconds(120));
  }
  // Cancels the call once the server has begun with `sql`, which it has executed so often before.
  std::thread CancelWhenItRuns(Call* call, const std::string& sql, size_t before) {
    call->run.cancellation = &call->cancellation;
    return std::thread([this, call, sql, before] {
      testing::Eventually([&] { return executed(sql).size() > before; });
      call->cancellation.Cancel(driver::MakeError(Reason::kCancelled, "the caller has gone"));
    });
  }
  // It is cancelled while it runs.
  std::unique_ptr<Call> RunSlow(bool in_transaction) {
    connection();
    auto call = std::make_unique<Call>("SELECT slow");
    std::thread canceller = CancelWhenItRuns(call.get(), "SELECT slow", 0);
    driver::StatementRun* const run = &call->run;
    if (in_transaction) {
      connection().Run(call->run);
    } else {
      connection().RunBatch({&run, 1});
    }
    canceller.join();
    return call;
  }
};

TEST_F(CancelTest, AConnectionIsNotUsedAgainByOthersAfterOne) {
  EXPECT_EQ(RunSlow(false)->reason(), Reason::kCancelled);
  EXPECT_FALSE(connection().healthy());
  EXPECT_FALSE(connection().Alive());
}

TEST_F(CancelTest, ATransactionGoesOnAndThenTheConnectionEnds) {
  ASSERT_TRUE(connection().Begin({}).ok());
  ASSERT_TRUE(connection().Savepoint("s").ok());
  EXPECT_EQ(RunSlow(true)->reason(), Reason::kCancelled);
  EXPECT_TRUE(connection().healthy());
  EXPECT_TRUE(connection().RollbackTo("s").ok());
  EXPECT_TRUE(RunInTransaction("SELECT 1")->run.status.ok());
  EXPECT_TRUE(connection().Commit().ok());
  EXPECT_FALSE(connection().healthy());
}

TEST_F(CancelTest, AStatementThatAnothersCancelHasHitRunsAgain) {
  const auto hit_at_first = [](size_t executed) {
    return executed == 1 ? FakeCockroach::Error("57014", "query execution canceled")
                         : FakeCockroach::Done("UPDATE 1");
  };
  server_.Say("UPDATE hit", hit_at_first);
  EXPECT_TRUE(Run("UPDATE hit SET a = 1")->run.status.ok());
  EXPECT_EQ(executed("UPDATE hit").size(), 2u);
  server_.Say("INSERT INTO hit", hit_at_first);
  Call rows("INSERT INTO hit VALUES ($1)");
  const std::vector<std::vector<Value>> values = {{Value::Text("a")}};
  server_.Say("INSERT INTO hit", [&](size_t executed) {
    FakeAnswer answer = hit_at_first(executed);
    answer.parameters = {25};
    return answer;
  });
  rows.run.rows = values;
  driver::StatementRun* const run = &rows.run;
  connection().RunBatch({&run, 1});
  EXPECT_TRUE(rows.run.status.ok()) << rows.run.status;
  EXPECT_EQ(executed("INSERT INTO hit").size(), 2u);
  for (const char* step : {"BEGIN$", "SELECT 1$"}) {
    const size_t before = executed(std::string(step, strlen(step) - 1)).size();
    server_.Say(step, [before](size_t executed) {
      return executed == before + 1 ? FakeCockroach::Error("57014", "query execution canceled")
                                    : FakeCockroach::Done("BEGIN");
    });
  }
  EXPECT_TRUE(connection().Ping(driver::Deadline::None()).ok());
  EXPECT_TRUE(connection().Begin({}).ok());
  EXPECT_TRUE(connection().Commit().ok());
}

TEST_F(CancelTest, InATransactionItIsToBeRunAgain) {
  server_.Say("UPDATE", FakeCockroach::Error("57014", "query execution canceled"));
  ASSERT_TRUE(connection().Begin({}).ok());
  const auto call = RunInTransaction("UPDATE t SET a = 1");
  EXPECT_EQ(call->reason(), Reason::kSerializationFailure) << call->run.status;
  EXPECT_EQ(RetryOf(call->run.status), Retry::kTransaction);
  EXPECT_EQ(executed("UPDATE").size(), 1u);
}

TEST_F(CancelTest, ALimitOfTheServersIsNoAccident) {
  server_.Say("UPDATE",
              FakeCockroach::Error("57014", "query execution canceled due to statement timeout"));
  EXPECT_EQ(Run("UPDATE t SET a = 1")->reason(), Reason::kQueryTimeout);
  EXPECT_EQ(executed("UPDATE").size(), 1u);
}

TEST_F(CancelTest, WhoeverIsAlwaysHitIsToldInTheEnd) {
  server_.Say("UPDATE", FakeCockroach::Error("57014", "query execution canceled"));
  EXPECT_EQ(Run("UPDATE t SET a = 1")->reason(), Reason::kQueryTimeout);
  EXPECT_LE(executed("UPDATE").size(), 3u);
}

// The cancel of the first one is acted upon while the second runs, behind it in the pipeline,
// which would not end by itself.
TEST_F(CancelTest, ANeighbourInThePipelineIsNotHarmed) {
  std::atomic<bool> slow = false;
  std::atomic<size_t> before = 0;
  server_.Say("UPDATE first", [&](size_t) {
    FakeAnswer answer = FakeCockroach::Done("UPDATE 1");
    if (slow) answer.takes = milliseconds(100);
    return answer;
  });
  server_.Say("UPDATE second", [&](size_t executed) {
    FakeAnswer answer = FakeCockroach::Done("UPDATE 1");
    if (slow && executed == before + 1) answer.takes = kLong;
    return answer;
  });
  const Calls calls = testing::MakeCalls({"UPDATE first SET a = 1", "UPDATE second SET a = 1"});
  MakeBrisk(calls);
  before = executed("UPDATE second").size();
  slow = true;
  std::thread canceller =
      CancelWhenItRuns(calls[0].get(), "UPDATE first", executed("UPDATE first").size());
  testing::RunTogether(&connection(), calls);
  canceller.join();
  EXPECT_GE(server_.server().cancels(), 1);
  EXPECT_TRUE(calls[1]->run.status.ok()) << calls[1]->run.status;
  EXPECT_EQ(executed("UPDATE second").size(), before + 2);
  EXPECT_FALSE(connection().healthy());
}

// --- A drain: 57P01 with the severity ERROR, and then the end of the stream.

FakeAnswer Drains() {
  FakeAnswer answer =
      FakeCockroach::Error("57P01", "server is not accepting clients, try another node");
  answer.then_close = true;
  return answer;
}

TEST_F(CancelTest, ADrainIsToldByItsCode) {
  server_.Say("UPDATE", Drains());
  const auto call = Run("UPDATE t SET a = 1");
  EXPECT_EQ(call->reason(), Reason::kConnectionLost) << call->run.status;
  EXPECT_EQ(RetryOf(call->run.status), Retry::kStatement);
  EXPECT_FALSE(connection().Alive());
}

TEST_F(CancelTest, WritesThatADrainHasKeptFromRunningAreNotOfUnknownOutcome) {
  bool drains = false;
  server_.Say("UPDATE second",
              [&](size_t) { return drains ? Drains() : FakeCockroach::Done("UPDATE 1"); });
  const Calls calls = testing::MakeCalls({"UPDATE first SET a = 1", "UPDATE second SET a = 1",
                                          "UPDATE third SET a = 1", "UPDATE fourth SET a = 1"});
  MakeBrisk(calls);
  drains = true;
  testing::RunTogether(&connection(), calls);
  EXPECT_TRUE(calls[0]->run.status.ok());
  for (size_t i = 1; i < calls.size(); ++i) {
    EXPECT_EQ(calls[i]->reason(), Reason::kConnectionLost) << i << calls[i]->run.status;
    EXPECT_EQ(RetryOf(calls[i]->run.status), Retry::kStatement) << i;
  }
}

TEST_F(CancelTest, ADrainInPlaceOfTheCommitsAnswerLeavesItUnknown) {
  server_.Say("COMMIT$", Drains());
  ASSERT_TRUE(connection().Begin({}).ok());
  EXPECT_EQ(ReasonOf(connection().Commit()), Reason::kCommitOutcomeUnknown);
}

}  // namespace
}  // namespace penstock::cockroachdb
