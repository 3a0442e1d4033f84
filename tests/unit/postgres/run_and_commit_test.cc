// A statement and the commit behind it in one round trip: what each of them may end in.
#include "fmt/format.h"
#include "tests/support/pgwire_proxy.h"
#include "tests/unit/postgres/fixture.h"

namespace penstock::postgres {
namespace {

using testing::PgwireFault;
using testing::PostgresCluster;

class RunAndCommitTest : public PostgresDriverTest {
 protected:
  RunAndCommitTest() {
    Ask("CREATE TABLE t (i bigint PRIMARY KEY, note text NOT NULL)");
    const size_t database = config_.connection_string.find("dbname=");
    std::string name = config_.connection_string.substr(database + 7);
    name.resize(std::min(name.find(' '), name.size()));
    config_.connection_string = proxy_.connection_string(name);
    OpenDriver();
    Begin();
  }

  void Begin() {
    ASSERT_TRUE(connection_->Begin({}).ok());
    EXPECT_EQ(TryInTransaction("INSERT INTO t VALUES (1, 'before')")->reason(),
              Reason::kUnspecified);
  }

  absl::Status RunAndCommit(Call* call) {
    call->run.once = true;
    call->run.writer = nullptr;
    return connection_->RunAndCommit(call->run);
  }

  // By a connection that has nothing to do with the proxy.
  static std::string Rows() { return "SELECT string_agg(note, ',' ORDER BY i) FROM t"; }

  Call insert_{"INSERT INTO t VALUES ($1, $2)", {Value::Integer(2), Value::Text("it's \\ last")}};
  testing::PgwireProxy proxy_{PostgresCluster::Shared().socket_folder()};
};

TEST_F(RunAndCommitTest, BothAreDone) {
  EXPECT_TRUE(RunAndCommit(&insert_).ok());
  EXPECT_EQ(insert_.run.summary.rows_affected, 1);
  EXPECT_EQ(Ask(Rows()), "text before,it's \\ last");
  ASSERT_TRUE(connection_->Begin({}).ok()) << "the transaction is over";
  EXPECT_TRUE(connection_->Rollback().ok());
}

TEST_F(RunAndCommitTest, AStatementThatIsRefusedCommitsNothing) {
  for (const char* sql : {"INSERT INTO t VALUES (1, 'again')", "INSERT INTO nowhere VALUES (1)"}) {
    Call refused(sql);
    const absl::Status status = RunAndCommit(&refused);
    EXPECT_FALSE(status.ok()) << sql;
    EXPECT_EQ(status, refused.run.status) << sql;
    EXPECT_TRUE(connection_->transaction_aborted()) << "it is there until it is rolled back";
    EXPECT_TRUE(connection_->Rollback().ok());
    EXPECT_EQ(Ask(Rows()), "null");
    Begin();
  }
}

TEST_F(RunAndCommitTest, WhatIsNotEvenSentLeavesTheTransaction) {
  Call bad("COMMIT");
  EXPECT_FALSE(RunAndCommit(&bad).ok());
  EXPECT_EQ(bad.reason(), Reason::kTransactionControl);
  EXPECT_FALSE(connection_->transaction_aborted());
  EXPECT_TRUE(RunAndCommit(&insert_).ok());
  EXPECT_EQ(Ask(Rows()), "text before,it's \\ last");
}

TEST_F(RunAndCommitTest, ACommitThatIsRefusedIsARollback) {
  ASSERT_TRUE(connection_->Rollback().ok());
  Ask("CREATE TABLE child (i bigint REFERENCES t DEFERRABLE INITIALLY DEFERRED)");
  Begin();
  Call orphan("INSERT INTO child VALUES (77)");
  const absl::Status status = RunAndCommit(&orphan);
  EXPECT_EQ(driver::GetErrorInfo(status).reason, Reason::kForeignKeyViolation) << status;
  EXPECT_TRUE(orphan.run.status.ok()) << "the statement itself was accepted";
  EXPECT_EQ(Ask(Rows()), "null");
}

TEST_F(RunAndCommitTest, ACommitWhoseAnswerIsLostIsUnknown) {
  proxy_.Inject({.kind = PgwireFault::Kind::kLoseAnswer,
                 .matches = [](std::string_view sql) { return sql == "COMMIT"; }});
  EXPECT_EQ(driver::GetErrorInfo(RunAndCommit(&insert_)).reason, Reason::kCommitOutcomeUnknown);
  connection_ = Connect();
  EXPECT_EQ(Ask(Rows()), "text before,it's \\ last");
}

// The commit was on its way behind it, and nobody has heard of either.
TEST_F(RunAndCommitTest, SoIsAStatementWhoseAnswerIsLost) {
  proxy_.Inject({.kind = PgwireFault::Kind::kLoseAnswer,
                 .matches = [](std::string_view sql) { return sql.starts_with("INSERT"); }});
  EXPECT_EQ(driver::GetErrorInfo(RunAndCommit(&insert_)).reason, Reason::kCommitOutcomeUnknown);
}

TEST_F(RunAndCommitTest, ALinkThatIsKnownToBeBrokenIsNoDoubt) {
  proxy_.Cut();
  while (connection_->Alive()) std::this_thread::yield();
  EXPECT_EQ(driver::GetErrorInfo(RunAndCommit(&insert_)).reason, Reason::kConnectionLost);
}

TEST_F(RunAndCommitTest, AStatementThatIsEndedByItsDeadlineCommitsNothing) {
  Call slow("INSERT INTO t SELECT 3, 'slow' FROM pg_sleep(60)");
  slow.run.deadline = {.at = std::chrono::steady_clock::now() + std::chrono::milliseconds(200),
                       .reason = Reason::kQueryTimeout};
  EXPECT_EQ(driver::GetErrorInfo(RunAndCommit(&slow)).reason, Reason::kQueryTimeout);
  EXPECT_TRUE(connection_->Rollback().ok());
  EXPECT_EQ(Ask(Rows()), "null");
}

// What returns rows, or may come again, takes two round trips and ends the same.
TEST_F(RunAndCommitTest, AnyOtherStatementIsCommittedAsWell) {
  EXPECT_TRUE(connection_->RunAndCommit(insert_.run).ok());
  EXPECT_EQ(Ask(Rows()), "text before,it's \\ last");
}

}  // namespace
}  // namespace penstock::postgres
