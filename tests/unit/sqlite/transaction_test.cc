// A client's transaction.
#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

class TransactionTest : public SqliteTest {
 protected:
  TransactionTest() { Exec("CREATE TABLE t(i INTEGER PRIMARY KEY, v TEXT UNIQUE)"); }
};

TEST_F(TransactionTest, CommitAndRollback) {
  ASSERT_TRUE(writer_->Begin({}).ok());
  const auto insert = TryInTransaction("INSERT INTO t(v) VALUES ('a')");
  EXPECT_EQ(insert->run.summary.rows_affected, 1);
  EXPECT_EQ(insert->run.summary.last_insert_id, 1);
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 0");
  ASSERT_TRUE(writer_->Commit().ok());
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 1");
  ASSERT_TRUE(writer_->Begin({}).ok());
  TryInTransaction("DELETE FROM t");
  ASSERT_TRUE(writer_->Rollback().ok());
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 1");
}

TEST_F(TransactionTest, AFailureUndoesTheStatementAlone) {
  ASSERT_TRUE(writer_->Begin({}).ok());
  TryInTransaction("INSERT INTO t(v) VALUES ('a')");
  EXPECT_EQ(TryInTransaction("INSERT OR FAIL INTO t(v) VALUES ('b'), ('a')")->reason(),
            Reason::kUniqueViolation);
  Call rows("INSERT INTO t(v) VALUES ($1)");
  const std::vector<std::vector<Value>> values = {{Value::Text("c")}, {Value::Text("a")}};
  rows.run.rows = values;
  writer_->Run(rows.run);
  EXPECT_EQ(rows.reason(), Reason::kUniqueViolation);
  EXPECT_FALSE(writer_->transaction_aborted());
  ASSERT_TRUE(writer_->Commit().ok());
  EXPECT_EQ(Read("SELECT group_concat(v) FROM t"), "text a");
}

TEST_F(TransactionTest, Savepoints) {
  ASSERT_TRUE(writer_->Begin({}).ok());
  TryInTransaction("INSERT INTO t(v) VALUES ('a')");
  ASSERT_TRUE(writer_->Savepoint("select").ok());
  TryInTransaction("INSERT INTO t(v) VALUES ('b')");
  ASSERT_TRUE(writer_->RollbackTo("select").ok());
  TryInTransaction("INSERT INTO t(v) VALUES ('c')");
  ASSERT_TRUE(writer_->Release("select").ok());
  const absl::Status unknown = writer_->Release("select");
  EXPECT_EQ(unknown.code(), absl::StatusCode::kInvalidArgument) << unknown;
  ASSERT_TRUE(writer_->Commit().ok());
  EXPECT_EQ(Read("SELECT group_concat(v) FROM t"), "text a,c");
}

TEST_F(TransactionTest, ReadOnlyHasTheSnapshotOfItsBegin) {
  ASSERT_TRUE(reader_->Begin({.read_only = true}).ok());
  Exec("INSERT INTO t(v) VALUES ('a')");
  Call call("SELECT count(*) FROM t");
  reader_->Run(call.run);
  EXPECT_EQ(call.row(), "integer 0");
  ASSERT_TRUE(reader_->Commit().ok());
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 1");
}

TEST_F(TransactionTest, ReadOnlyOnTheWriterRefusesWrites) {
  ASSERT_TRUE(writer_->Begin({.read_only = true}).ok());
  EXPECT_EQ(TryInTransaction("DELETE FROM t")->reason(), Reason::kReadOnly);
  ASSERT_TRUE(writer_->Commit().ok());
  Exec("DELETE FROM t");
}

TEST_F(TransactionTest, CursorsStreamInATransaction) {
  ASSERT_TRUE(writer_->Begin({}).ok());
  const auto insert = std::make_unique<Call>(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100) "
      "INSERT INTO t SELECT i, 'v' || i FROM n RETURNING v");
  insert->run.limits.max_bytes = 10;
  writer_->Run(insert->run);
  ASSERT_NE(insert->run.cursor, nullptr) << insert->run.status;
  insert->output.TakeAway();
  const absl::StatusOr<bool> more = insert->run.cursor->Fetch({}, &insert->output);
  ASSERT_TRUE(more.ok()) << more.status();
  EXPECT_FALSE(*more);
  EXPECT_EQ(insert->output.rows.size(), 100u);
  EXPECT_EQ(insert->run.cursor->summary().rows_affected, 100);
  EXPECT_EQ(insert->run.cursor->summary().last_insert_id, 100);
  insert->run.cursor.reset();

  const auto select = std::make_unique<Call>("SELECT i FROM t");
  select->run.limits.max_bytes = 10;
  writer_->Run(select->run);
  ASSERT_NE(select->run.cursor, nullptr);
  select->run.cursor.reset();
  ASSERT_TRUE(writer_->Commit().ok());
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 100");
}

TEST_F(TransactionTest, AReturningCursorThatIsDroppedKeepsItsEffect) {
  Exec("INSERT INTO t(v) VALUES ('a'), ('b'), ('c')");
  ASSERT_TRUE(writer_->Begin({}).ok());
  {
    Call call("DELETE FROM t RETURNING v");
    call.run.limits.max_bytes = 1;
    writer_->Run(call.run);
    ASSERT_NE(call.run.cursor, nullptr);
  }
  ASSERT_TRUE(writer_->Commit().ok());
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 0");
}

TEST_F(TransactionTest, AReturningThatFailsOnTheWayIsUndone) {
  Exec("INSERT INTO t(v) VALUES ('a'), (CAST(x'ff' AS TEXT))");
  ASSERT_TRUE(writer_->Begin({}).ok());
  Call call("DELETE FROM t RETURNING v");
  call.run.limits.max_bytes = 1;
  writer_->Run(call.run);
  ASSERT_NE(call.run.cursor, nullptr) << call.run.status;
  EXPECT_EQ(driver::GetErrorInfo(call.run.cursor->Fetch({}, &call.output).status()).reason,
            Reason::kDataException);
  call.run.cursor.reset();
  ASSERT_TRUE(writer_->Commit().ok());
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 2");
}

TEST_F(TransactionTest, WhatSqliteRolledBackIsAborted) {
  ASSERT_TRUE(writer_->Begin({}).ok());
  TryInTransaction("INSERT INTO t(v) VALUES ('a')");
  EXPECT_EQ(TryInTransaction("INSERT OR ROLLBACK INTO t(v) VALUES ('a')")->reason(),
            Reason::kUniqueViolation);
  EXPECT_TRUE(writer_->transaction_aborted());
  EXPECT_EQ(TryInTransaction("INSERT INTO t(v) VALUES ('b')")->reason(),
            Reason::kTransactionAborted);
  EXPECT_EQ(driver::GetErrorInfo(writer_->Savepoint("s")).reason, Reason::kTransactionAborted);
  EXPECT_EQ(driver::GetErrorInfo(writer_->Commit()).reason, Reason::kTransactionAborted);
  EXPECT_FALSE(writer_->transaction_aborted());
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 0");
}

TEST_F(TransactionTest, ADeferredViolationFailsTheCommit) {
  Exec("CREATE TABLE c(p INT REFERENCES t(i) DEFERRABLE INITIALLY DEFERRED)");
  ASSERT_TRUE(writer_->Begin({}).ok());
  EXPECT_TRUE(TryInTransaction("INSERT INTO c VALUES (5)")->run.status.ok());
  EXPECT_EQ(driver::GetErrorInfo(writer_->Commit()).reason, Reason::kForeignKeyViolation);
  EXPECT_EQ(Read("SELECT count(*) FROM c"), "integer 0");
  ASSERT_TRUE(writer_->Begin({}).ok());
  TryInTransaction("INSERT INTO c VALUES (5)");
  TryInTransaction("INSERT INTO t(i) VALUES (5)");
  EXPECT_TRUE(writer_->Commit().ok());
}

TEST_F(TransactionTest, ResetEndsWhatWasLeftOpen) {
  ASSERT_TRUE(writer_->Begin({}).ok());
  TryInTransaction("INSERT INTO t(v) VALUES ('a')");
  ASSERT_TRUE(writer_->Reset().ok());
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 0");
  Exec("INSERT INTO t(v) VALUES ('b')");
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 1");
}

TEST_F(TransactionTest, ADeadlineInATransaction) {
  ASSERT_TRUE(writer_->Begin({}).ok());
  TryInTransaction("INSERT INTO t(v) VALUES ('a')");
  Call call(kEndless);
  call.run.deadline = In(std::chrono::milliseconds(20));
  writer_->Run(call.run);
  EXPECT_EQ(call.reason(), Reason::kRequestTimeout);
  // Reading, it disturbed nothing.
  EXPECT_FALSE(writer_->transaction_aborted());
  ASSERT_TRUE(writer_->Commit().ok());
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 1");
}

}  // namespace
}  // namespace penstock::sqlite
