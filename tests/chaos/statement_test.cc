// A statement, a commit or a connection fails on the server's side.
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/chaos/fixture.h"

namespace penstock::testing {
namespace {

using Kind = PgwireFault::Kind;
using ::testing::HasSubstr;

class StatementFaults : public ChaosTest {
 protected:
  void SetUp() override { AskServer("CREATE TABLE t (id bigint PRIMARY KEY)"); }

  // So many rows that they are one COPY.
  static constexpr int kCopied = 10'000;
  Outcome InsertMany() {
    v1::ExecRequest request;
    request.set_sql("INSERT INTO t(id) VALUES ($1)");
    for (int i = 0; i < kCopied; ++i) *request.add_rows()->add_values() = Int(i);
    Outcome outcome;
    const auto answers = wire().ExecAll({request}, &outcome.status);
    outcome.detail = DetailOf(outcome.status);
    if (!answers.empty()) outcome.summary = answers.front().summary();
    return outcome;
  }

  // A transaction with one insert, up to its commit, whose failure is the call's.
  std::pair<grpc::Status, v1::ErrorDetail> InsertInTransaction() {
    TransactionStream transaction(wire());
    EXPECT_TRUE(transaction.Begin().has_begun());
    EXPECT_TRUE(transaction.Exec("INSERT INTO t VALUES (1)").has_executed());
    const auto committed = transaction.Commit();
    const grpc::Status status = transaction.Finish();
    EXPECT_EQ(committed.has_committed(), status.ok());
    return {status, DetailOf(status)};
  }
};

TEST_F(StatementFaults, ASerializationFailureAtCommitIsForTheTransactionToRepeat) {
  proxy().Inject({.matches = Is("COMMIT"), .sqlstate = "40001"});
  const auto [status, detail] = InsertInTransaction();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::ABORTED) << status.error_message();
  EXPECT_EQ(detail.reason(), v1::REASON_SERIALIZATION_FAILURE);
  EXPECT_EQ(detail.retry(), v1::RETRY_TRANSACTION);
  EXPECT_EQ(AskServer("SELECT count(*) FROM t"), "0");
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0") << "the connection is of use again";
  EXPECT_EQ(proxy().counts().opened, 1) << "and is the same one";
}

TEST_F(StatementFaults, AStatementCompletionUnknownAtCommitIsNotForRepeating) {
  proxy().Inject({.kind = Kind::kFailAfterwards, .matches = Is("COMMIT"), .sqlstate = "40003"});
  const auto [status, detail] = InsertInTransaction();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNKNOWN) << status.error_message();
  EXPECT_EQ(detail.reason(), v1::REASON_COMMIT_OUTCOME_UNKNOWN);
  EXPECT_EQ(detail.retry(), v1::RETRY_NEVER);
  EXPECT_EQ(AskServer("SELECT count(*) FROM t"), "1");
}

TEST_F(StatementFaults, ACommitWhoseAnswerIsLostIsOfUnknownOutcome) {
  proxy().Inject({.kind = Kind::kLoseAnswer, .matches = Is("COMMIT")});
  const auto [status, detail] = InsertInTransaction();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNKNOWN) << status.error_message();
  EXPECT_EQ(detail.reason(), v1::REASON_COMMIT_OUTCOME_UNKNOWN);
  EXPECT_EQ(detail.retry(), v1::RETRY_NEVER);
  EXPECT_EQ(AskServer("SELECT count(*) FROM t"), "1");
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "1");
}

TEST_F(StatementFaults, AStatementByItselfWhoseAnswerIsLostIsOfUnknownOutcome) {
  proxy().Inject({.kind = Kind::kLoseAnswer, .matches = Begins("INSERT")});
  const Outcome outcome = wire().Exec("INSERT INTO t VALUES (1)");
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::UNKNOWN);
  EXPECT_EQ(outcome.detail.reason(), v1::REASON_COMMIT_OUTCOME_UNKNOWN);
  EXPECT_EQ(AskServer("SELECT count(*) FROM t"), "1");
}

TEST_F(StatementFaults, ACopyThatIsEndedHasDoneNothing) {
  proxy().Inject({.matches = Begins("COPY"), .sqlstate = "57P01", .then_cut = true});
  const Outcome outcome = InsertMany();
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(outcome.detail.reason(), v1::REASON_CONNECTION_LOST);
  EXPECT_EQ(outcome.detail.retry(), v1::RETRY_STATEMENT);
  EXPECT_EQ(AskServer("SELECT count(*) FROM t"), "0");
  EXPECT_EQ(InsertMany().summary.rows_affected(), kCopied);
}

TEST_F(StatementFaults, ACopyWhoseCommitIsLostIsOfUnknownOutcome) {
  proxy().Inject({.kind = Kind::kLoseAnswer, .matches = Is("COMMIT")});
  const Outcome outcome = InsertMany();
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::UNKNOWN);
  EXPECT_EQ(outcome.detail.reason(), v1::REASON_COMMIT_OUTCOME_UNKNOWN);
  EXPECT_EQ(outcome.detail.retry(), v1::RETRY_NEVER);
  EXPECT_EQ(AskServer("SELECT count(*) FROM t"), std::to_string(kCopied));
}

TEST_F(StatementFaults, ACopyThatIsRefusedGoesAnotherWay) {
  proxy().Inject({.matches = Begins("COPY"), .sqlstate = "0A000"});
  EXPECT_EQ(InsertMany().summary.rows_affected(), kCopied);
  EXPECT_EQ(AskServer("SELECT count(*) FROM t"), std::to_string(kCopied));
  EXPECT_EQ(proxy().counts().faults, 1);
}

TEST_F(StatementFaults, AReadWhoseAnswerIsLostMayBeRepeated) {
  proxy().Inject({.kind = Kind::kLoseAnswer, .matches = Begins("SELECT")});
  const Outcome outcome = wire().Query("SELECT count(*) FROM t");
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(outcome.detail.reason(), v1::REASON_CONNECTION_LOST);
  EXPECT_EQ(outcome.detail.retry(), v1::RETRY_STATEMENT);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0");
}

// What its functions do, and those of the views that it reads, may be done.
TEST_F(StatementFaults, AReadThatMayHaveWrittenIsOfUnknownOutcome) {
  AskServer(
      "CREATE FUNCTION pay(bigint) RETURNS bigint LANGUAGE sql AS "
      "'INSERT INTO t VALUES ($1) RETURNING id'");
  AskServer("CREATE VIEW paid AS SELECT pay(2) AS id");
  AskServer("CREATE SEQUENCE numbers");
  for (const std::string sql : {"VALUES (pay(1))", "TABLE paid", "VALUES (nextval('numbers'))"}) {
    proxy().Inject({.kind = Kind::kLoseAnswer, .matches = Begins(sql.substr(0, 5))});
    const Outcome outcome = wire().Query(sql);
    EXPECT_EQ(outcome.detail.reason(), v1::REASON_COMMIT_OUTCOME_UNKNOWN) << sql;
    EXPECT_EQ(outcome.detail.retry(), v1::RETRY_NEVER) << sql;
  }
  EXPECT_EQ(AskServer("SELECT count(*) FROM t"), "2");
}

// The server says that it is shutting down after it has run the statement, and
// before it says that it has committed: it may have.
TEST_F(StatementFaults, ASessionThatIsEndedBetweenAStatementAndItsCommitIsOfUnknownOutcome) {
  proxy().Inject({.kind = Kind::kFailAtSync,
                  .matches = Begins("INSERT"),
                  .sqlstate = "57P01",
                  .then_cut = true});
  const Outcome outcome = wire().Exec("INSERT INTO t VALUES (1)");
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::UNKNOWN);
  EXPECT_EQ(outcome.detail.reason(), v1::REASON_COMMIT_OUTCOME_UNKNOWN);
  EXPECT_EQ(AskServer("SELECT count(*) FROM t"), "1");
}

TEST_F(StatementFaults, ABusySessionThatIsEndedIsUnavailable) {
  proxy().Inject({.matches = Begins("SELECT"), .sqlstate = "57P01", .then_cut = true});
  const Outcome outcome = wire().Query("SELECT count(*) FROM t");
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(outcome.detail.sqlstate(), "57P01");
  EXPECT_EQ(outcome.detail.retry(), v1::RETRY_STATEMENT);
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0");
}

// Those that were sent behind it in one go were not run, which is certain.
TEST_F(StatementFaults, WhatIsBehindAStatementThatEndsTheSessionMayBeRepeated) {
  database().pool.max_open = database().pool.max_idle = 1;
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0");
  std::atomic<int> refused = 0;
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 16; ++caller) {
    callers.emplace_back([&, caller] {
      for (int i = 0; i < 20; ++i) {
        const Values id = {Int(100 * caller + i)};
        Outcome outcome = wire().Exec("INSERT INTO t VALUES ($1)", id);
        // Where the driver cannot tell it says so: it may have been done, or be so yet.
        bool unknown = false;
        for (;; ++refused) {
          const bool now_unknown = outcome.detail.reason() == v1::REASON_COMMIT_OUTCOME_UNKNOWN;
          unknown = unknown || now_unknown;
          if (outcome.detail.retry() != v1::RETRY_STATEMENT && !now_unknown) break;
          outcome = wire().Exec("INSERT INTO t VALUES ($1)", id);
        }
        const bool done_before = unknown && outcome.detail.reason() == v1::REASON_UNIQUE_VIOLATION;
        EXPECT_TRUE(outcome.status.ok() || done_before) << outcome.status.error_message();
        if (caller != 0) continue;
        proxy().Inject({.matches = Begins("INSERT"), .sqlstate = "57P01", .then_cut = true});
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(AskServer("SELECT count(*) FROM t"), "320");
  EXPECT_GT(refused, proxy().counts().faults) << "some have shared a round trip";
}

TEST_F(StatementFaults, IdleSessionsThatWereEndedAreReplacedSilently) {
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0");
  for (int64_t round = 1; round <= 20; ++round) {
    // Idle for the daemon, too: the answer may be here before the connection is given back.
    Eventually([this] { return Pool().in_use() == 0; });
    ASSERT_EQ(proxy().EndIdleSessions("57P01"), 1);
    ASSERT_TRUE(proxy().WaitFor([](const PgwireCounts& counts) { return counts.open == 0; }));
    ASSERT_EQ(Ask("SELECT count(*) FROM t"), "0") << "round " << round;
    EXPECT_EQ(proxy().counts().opened, round + 1);
  }
}

TEST_F(StatementFaults, AResultThatIsCutIsAnError) {
  const std::string sql = "SELECT i, repeat('x', 100) FROM generate_series(1, 100000) AS g(i)";
  for (const int64_t rows : {0, 1, 999, 50'000}) {
    proxy().Inject({.kind = Kind::kCutAfterRows, .matches = Begins("SELECT i"), .rows = rows});
    const Outcome outcome = wire().Query(sql);
    EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::UNAVAILABLE) << rows;
    EXPECT_EQ(outcome.detail.reason(), v1::REASON_CONNECTION_LOST);
    EXPECT_FALSE(outcome.has_summary);
    EXPECT_LE(static_cast<int64_t>(outcome.rows.size()), rows);
  }
  EXPECT_EQ(wire().Query(sql).rows.size(), 100'000);
}

TEST_F(StatementFaults, ATransactionWhoseSessionIsKilledIsLost) {
  TransactionStream transaction(wire());
  ASSERT_TRUE(transaction.Begin().has_begun());
  const std::string pid = transaction.Query("SELECT pg_backend_pid()").text();
  ASSERT_TRUE(transaction.Exec("INSERT INTO t VALUES (1)").has_executed());
  ASSERT_EQ(AskServer("SELECT pg_terminate_backend(" + pid + ")"), "t");
  ASSERT_TRUE(proxy().WaitFor([](const PgwireCounts& counts) { return counts.open == 0; }));
  const auto inserted = transaction.Exec("INSERT INTO t VALUES (2)");
  EXPECT_EQ(inserted.error().detail().reason(), v1::REASON_CONNECTION_LOST)
      << inserted.ShortDebugString();
  EXPECT_FALSE(transaction.Commit().has_committed());
  EXPECT_FALSE(transaction.Finish().ok());
  EXPECT_EQ(AskServer("SELECT count(*) FROM t"), "0");
  EXPECT_EQ(Ask("SELECT count(*) FROM t"), "0");
  Eventually([this] { return Pool().in_use() == 0; });
}

}  // namespace
}  // namespace penstock::testing
