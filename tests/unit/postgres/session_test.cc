// What the server knows of a session: who uses it, and how long a statement may take.
#include "fmt/format.h"
#include "tests/unit/postgres/fixture.h"

namespace penstock::postgres {
namespace {

class CallerTest : public PostgresDriverTest {
 protected:
  static constexpr char kWho[] =
      "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()";

  std::unique_ptr<Call> TryAs(const std::string& caller, const std::string& sql) {
    auto call = std::make_unique<Call>(sql);
    call->run.caller = caller;
    driver::StatementRun* const run = &call->run;
    connection_->RunBatch({&run, 1});
    return call;
  }
  std::string AskAs(const std::string& caller, const std::string& sql = kWho) {
    const auto call = TryAs(caller, sql);
    EXPECT_TRUE(call->run.status.ok()) << call->run.status;
    return call->row();
  }
};

TEST_F(CallerTest, TheSessionHasTheNameOfWhoeverUsesIt) {
  EXPECT_EQ(Ask(kWho), "text penstock/main");
  EXPECT_EQ(AskAs("orders"), "text orders");
  EXPECT_EQ(AskAs("it's \"1\" back\\slash"), "text it's \"1\" back/slash");
  EXPECT_EQ(Ask(kWho), "text penstock/main");
}

TEST_F(CallerTest, AFailureDoesNotTakeTheNameBack) {
  EXPECT_EQ(TryAs("orders", "SELECT 1 / 0")->reason(), Reason::kDataException);
  EXPECT_EQ(AskAs("orders"), "text orders");
  EXPECT_EQ(TryAs("billing", "SELECT $1")->reason(), Reason::kInvalidParameter);
  EXPECT_EQ(AskAs("orders"), "text orders");
  EXPECT_EQ(AskAs("billing"), "text billing");
}

TEST_F(CallerTest, ASessionThatIsCleanedHasItAgain) {
  EXPECT_EQ(AskAs("orders"), "text orders");
  AskAs("orders", "SET application_name = 'mine'");
  EXPECT_EQ(AskAs("orders"), "text orders");
  AskAs("orders", "SET application_name = 'mine'");
  EXPECT_EQ(Ask(kWho), "text penstock/main");
}

TEST_F(CallerTest, ATransactionHasTheNameOfItsCaller) {
  ASSERT_TRUE(connection_->Begin({.caller = "orders"}).ok());
  EXPECT_EQ(TryInTransaction(kWho)->row(), "text orders");
  ASSERT_TRUE(connection_->Rollback().ok());
  ASSERT_TRUE(connection_->Begin({}).ok());
  EXPECT_EQ(TryInTransaction(kWho)->row(), "text penstock/main");
  ASSERT_TRUE(connection_->Commit().ok());
}

TEST_F(CallerTest, RowsHaveIt) {
  Ask("CREATE TABLE t (i bigint, who text DEFAULT current_setting('application_name'))");
  for (const size_t count : {size_t{2}, size_t{100}, size_t{9000}}) {
    const std::string caller = fmt::format("loader {}", count);
    Call call("INSERT INTO t(i) VALUES ($1)");
    const std::vector<std::vector<Value>> rows(count, {Value::Integer(1)});
    call.run.rows = rows;
    call.run.caller = caller;
    driver::StatementRun* const run = &call.run;
    connection_->RunBatch({&run, 1});
    ASSERT_TRUE(call.run.status.ok()) << call.run.status;
    EXPECT_EQ(Ask("SELECT count(*) FROM t WHERE who = $1", {Value::Text(caller)}),
              fmt::format("integer {}", count));
  }
}

// Those of one caller share a round trip; others' wait for the next one.
TEST_F(CallerTest, WhatSharesARoundTripSharesTheName) {
  const Calls calls = MakeCalls({kWho, kWho, kWho});
  MakeBrisk(calls);
  for (const auto& call : calls) call->run.caller = "orders";
  std::vector<driver::StatementRun*> runs;
  for (const auto& call : calls) runs.push_back(&call->run);
  EXPECT_EQ(connection_->Together(runs), 3u);
  EXPECT_EQ(connection_->RunBatch(runs), 3u);
  for (const auto& call : calls) EXPECT_EQ(call->output.rows.back(), "text orders");
  calls[2]->run.caller = "billing";
  EXPECT_EQ(connection_->Together(runs), 2u);
  EXPECT_EQ(connection_->RunBatch(runs), 2u);
  EXPECT_EQ(connection_->RunBatch(std::span(runs).subspan(2)), 1u);
  EXPECT_EQ(calls[1]->output.rows.back(), "text orders");
  EXPECT_EQ(calls[2]->output.rows.back(), "text billing");
}

class ServersLimitTest : public PostgresDriverTest {
 protected:
  std::string Limit() { return Ask("SHOW statement_timeout"); }
};

TEST_F(ServersLimitTest, IsTheQueryTimeoutAndSomeTime) {
  EXPECT_EQ(Limit(), "text 0");
  config_.query_timeout = std::chrono::seconds(10);
  OpenDriver();
  EXPECT_EQ(Limit(), "text 15s");
  Ask("SET statement_timeout = 77");
  EXPECT_EQ(Limit(), "text 15s") << "a client's setting goes, and ours comes back";
}

TEST_F(ServersLimitTest, AShorterOneOfTheDatabaseStays) {
  config_.query_timeout = std::chrono::seconds(10);
  Ask("DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = 7000', "
      "current_database()); END$$");
  OpenDriver();
  EXPECT_EQ(Limit(), "text 7s");
  Ask("DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET statement_timeout = 70000', "
      "current_database()); END$$");
  OpenDriver();
  EXPECT_EQ(Limit(), "text 15s");
}

TEST_F(ServersLimitTest, PassingItIsToldAsTheQueryTimeout) {
  ASSERT_TRUE(connection_->Begin({}).ok());
  ASSERT_TRUE(TryInTransaction("SET LOCAL statement_timeout = 50")->run.status.ok());
  const auto call = TryInTransaction("SELECT pg_sleep(1000)");
  EXPECT_EQ(call->run.status.code(), absl::StatusCode::kDeadlineExceeded) << call->run.status;
  EXPECT_EQ(call->reason(), Reason::kQueryTimeout);
  EXPECT_NE(call->message().find("statement timeout"), std::string::npos) << call->message();
  ASSERT_TRUE(connection_->Rollback().ok());
}

// The server knows no name but the one that was given.
TEST_F(PostgresDriverTest, ASavepointMayHaveAnyNameButOneWithANul) {
  for (const std::string name : {"a", "A", "a b", "a\"b", "\"", "a;--", "select", "\xC3\xA9"}) {
    ASSERT_TRUE(connection_->Begin({}).ok());
    EXPECT_TRUE(connection_->Savepoint(name).ok()) << name;
    EXPECT_TRUE(connection_->RollbackTo(name).ok()) << name;
    EXPECT_TRUE(connection_->Release(name).ok()) << name;
    EXPECT_FALSE(connection_->Release(name).ok()) << name;
    ASSERT_TRUE(connection_->Rollback().ok());
  }
  ASSERT_TRUE(connection_->Begin({}).ok());
  const std::string nul("a\0b", 3);
  for (const absl::Status& refused :
       {connection_->Savepoint(nul), connection_->RollbackTo(nul), connection_->Release(nul)}) {
    EXPECT_EQ(driver::GetErrorInfo(refused).reason, Reason::kInvalidParameter) << refused;
  }
  EXPECT_FALSE(connection_->transaction_aborted());
}

TEST_F(PostgresDriverTest, NamesNeedNoConnection) {
  ASSERT_TRUE(connection_->Begin({}).ok());
  ASSERT_TRUE(connection_->Savepoint("a").ok());
  TryInTransaction("SELECT pg_terminate_backend(pg_backend_pid())");
  ASSERT_FALSE(connection_->healthy());
  for (const absl::Status& lost :
       {connection_->Savepoint("b"), connection_->RollbackTo("a"), connection_->Release("a"),
        connection_->Commit(), connection_->Rollback()}) {
    EXPECT_EQ(driver::GetErrorInfo(lost).reason, Reason::kConnectionLost) << lost;
  }
}

}  // namespace
}  // namespace penstock::postgres
