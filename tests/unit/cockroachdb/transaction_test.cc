// Transactions that a schema change, or the server by itself, ends.
#include "gmock/gmock.h"
#include "tests/unit/cockroachdb/fixture.h"

namespace penstock::cockroachdb {
namespace {

using ::testing::HasSubstr;

class TransactionTest : public DialogueTest {
 protected:
  void Begin() { ASSERT_TRUE(connection().Begin({}).ok()); }
};

TEST_F(TransactionTest, SchemaChangesAreRefusedBeforeTheyAreSent) {
  for (const char* sql : {"CREATE TABLE t (id INT PRIMARY KEY)",
                          "CREATE TABLE t (id INT, FAMILY f (id))",
                          "ALTER TABLE t ADD COLUMN a INT",
                          "DROP TABLE t",
                          "TRUNCATE t",
                          "CREATE INDEX ON t (a)",
                          "CREATE INDEX ON t (a) STORING (b)",
                          "CREATE TYPE e AS ENUM ('a')",
                          "GRANT ALL ON t TO x",
                          "CREATE TABLE t AS SELECT 1",
                          "SELECT 1 AS a INTO t",
                          "ALTER DATABASE d SET PRIMARY REGION r",
                          "CREATE USER x",
                          "COMMENT ON TABLE t IS 'x'",
                          "/* a */ -- b\n create view v as select 1",
                          "CREATE TEMP TABLE t (a INT)",
                          "ALTER TABLE t SPLIT AT VALUES (1)",
                          "IMPORT INTO t CSV DATA ('x')",
                          "CREATE CHANGEFEED FOR t",
                          "EXPLAIN ANALYZE (DEBUG) CREATE TABLE t (a INT)"}) {
    Begin();
    ASSERT_TRUE(RunInTransaction("INSERT INTO t VALUES (1)")->run.status.ok());
    const auto call = RunInTransaction(sql);
    EXPECT_EQ(call->run.status.code(), absl::StatusCode::kUnimplemented) << sql << call->run.status;
    EXPECT_THAT(call->message(), HasSubstr("transactional_ddl")) << sql;
    EXPECT_TRUE(executed(sql).empty()) << sql;
    // It has harmed nothing.
    EXPECT_TRUE(RunInTransaction("INSERT INTO t VALUES (2)")->run.status.ok());
    EXPECT_TRUE(connection().Commit().ok()) << sql;
  }
}

TEST_F(TransactionTest, OwnStatementsOnRowsAreServedInOne) {
  server_.Say("UPSERT", FakeCockroach::Done("INSERT 0 1"));
  Begin();
  for (const char* sql :
       {"UPSERT INTO t VALUES (1)", "SELECT a FROM t@primary WHERE a = 1",
        "UPDATE t SET a = 1 LIMIT 1", "DELETE FROM t ORDER BY a LIMIT 1",
        "INSERT INTO t VALUES (1) RETURNING NOTHING", "SELECT * FROM [SHOW TABLES]", "SHOW TABLES",
        "WITH x AS (SELECT 1) UPSERT INTO t TABLE x"}) {
    EXPECT_TRUE(RunInTransaction(sql)->run.status.ok()) << sql;
    EXPECT_FALSE(executed(sql).empty()) << sql;
  }
  EXPECT_TRUE(connection().Commit().ok());
}

// What a server does that commits before it changes the schema, and whatever else ends one.
TEST_F(TransactionTest, EachStepFailsOnceTheServerHasEndedIt) {
  FakeAnswer ends = FakeCockroach::Done("CALL");
  ends.state = 'I';
  server_.Say("CALL ends", ends);
  const auto expect_gone = [](const absl::Status& status) {
    EXPECT_EQ(ReasonOf(status), Reason::kCommitOutcomeUnknown) << status;
    EXPECT_EQ(RetryOf(status), Retry::kNever);
  };
  const std::function<absl::Status()> ends_of_it[] = {[&] { return connection().Commit(); },
                                                      [&] { return connection().Rollback(); }};
  for (const auto& end : ends_of_it) {
    Begin();
    EXPECT_TRUE(RunInTransaction("INSERT INTO t VALUES (1)")->run.status.ok());
    expect_gone(RunInTransaction("CALL ends()")->run.status);
    const size_t before = executed("").size();
    expect_gone(RunInTransaction("INSERT INTO t VALUES (2)")->run.status);
    expect_gone(RunInTransaction("SELECT 1")->run.status);
    expect_gone(connection().Savepoint("s"));
    expect_gone(connection().RollbackTo("s"));
    expect_gone(connection().Release("s"));
    expect_gone(connection().Describe("SELECT 1", driver::Deadline::None(), nullptr).status());
    expect_gone(end());
    EXPECT_EQ(executed("").size(), before) << "nothing is sent any more";
    // The connection itself is sound.
    EXPECT_TRUE(connection().Reset().ok());
    EXPECT_TRUE(Run("SELECT 1")->run.status.ok());
  }
}

TEST_F(TransactionTest, AStepThatFailsMayEndItAsWell) {
  FakeAnswer ends = FakeCockroach::Error("42P07", "relation exists");
  ends.state = 'I';
  server_.Say("CALL ends", ends);
  for (const char* step : {"RELEASE", "SAVEPOINT"}) {
    Begin();
    FakeAnswer done = FakeCockroach::Done(step);
    done.state = 'I';
    server_.Say(std::string_view(step) == "RELEASE" ? "RELEASE SAVEPOINT \"s_" : "SAVEPOINT \"s_",
                done);
    const absl::Status status = std::string_view(step) == "RELEASE" ? connection().Release("s_")
                                                                    : connection().Savepoint("s_");
    EXPECT_EQ(ReasonOf(status), Reason::kCommitOutcomeUnknown) << step << status;
    EXPECT_EQ(ReasonOf(connection().Commit()), Reason::kCommitOutcomeUnknown);
  }
  Begin();
  const auto call = RunInTransaction("CALL ends()");
  EXPECT_EQ(call->reason(), Reason::kCommitOutcomeUnknown) << call->run.status;
  EXPECT_THAT(call->message(), HasSubstr("relation exists"));
  EXPECT_EQ(ReasonOf(connection().Commit()), Reason::kCommitOutcomeUnknown);
}

TEST_F(TransactionTest, ACommitThatTheServerTurnsIntoARollbackHasFailed) {
  server_.Say("COMMIT$", FakeCockroach::Done("ROLLBACK"));
  Begin();
  EXPECT_EQ(ReasonOf(connection().Commit()), Reason::kTransactionAborted);
}

TEST_F(TransactionTest, ARowsCommitWithAFailedSchemaChangeSaysSo) {
  server_.Say(
      "COMMIT$",
      FakeCockroach::Error("XXA00", "transaction committed but schema change aborted with error"));
  Begin();
  const absl::Status committed = connection().Commit();
  EXPECT_EQ(ReasonOf(committed), Reason::kSchemaChangeFailed) << committed;
  EXPECT_EQ(committed.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(RetryOf(committed), Retry::kNever);
  EXPECT_THAT(driver::GetErrorInfo(committed).hint, HasSubstr("committed"));
}

TEST_F(TransactionTest, AStalePlanInOneIsToBeRunAgain) {
  // So that they are known when it begins.
  EXPECT_TRUE(Run("SELECT stale")->run.status.ok());
  EXPECT_TRUE(Run("SELECT enum")->run.status.ok());
  server_.Say("SELECT stale",
              FakeCockroach::Error("0A000", "cached plan must not change result type"));
  server_.Say("SELECT enum",
              FakeCockroach::Error("XX000", "comparison of two different versions of enum te"));
  for (const char* sql : {"SELECT stale", "SELECT enum"}) {
    Begin();
    const auto call = RunInTransaction(sql);
    EXPECT_EQ(call->reason(), Reason::kSerializationFailure) << call->run.status;
    EXPECT_EQ(RetryOf(call->run.status), Retry::kTransaction);
    EXPECT_TRUE(connection().transaction_aborted());
    EXPECT_TRUE(connection().Rollback().ok());
  }
}

}  // namespace
}  // namespace penstock::cockroachdb
