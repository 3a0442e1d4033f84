// Snapshots, conflicts, and what SQL and key-value operations see of each other.
#include <gmock/gmock.h>

#include <thread>

#include "tests/unit/key_value/fixture.h"
#include "tests/unit/pebble/sql_fixture.h"

namespace penstock::pebble {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Map = std::map<std::string, std::string>;

class SqlTransactions : public SqlTest {
 protected:
  SqlTransactions() : other_(Connect(Lane::kWrite)) {
    Exec("CREATE TABLE t(key TEXT PRIMARY KEY, value INTEGER)");
    Exec("INSERT INTO t VALUES ('a', 1), ('b', 1), ('c', 1)");
  }
  ~SqlTransactions() override { other_.reset(); }

  CallPtr OnOther(const std::string& sql) {
    auto call = std::make_unique<Call>(sql);
    other_->Run(call->run);
    Finish(call.get());
    return call;
  }

  std::unique_ptr<driver::Connection> other_;
};

TEST_F(SqlTransactions, SqlAndKeyValueOperationsSeeEachOther) {
  ASSERT_TRUE(writer_->Begin({}).ok());
  ExecInTransaction("UPDATE t SET value = 2 WHERE key = 'a'");
  const auto get = driver::MakeGet({"a"}, "t");
  writer_->Run(get->run);
  EXPECT_EQ(get->output.entries, (driver::Entries{{"a", "2"}}));
  const auto write = driver::MakeWrite({driver::Put("d", "4"), driver::Delete("b")}, {}, "t");
  writer_->Run(write->run);
  EXPECT_THAT(QueryInTransaction("SELECT * FROM t"),
              ElementsAre("text a|integer 2", "text c|integer 1", "text d|integer 4"));
  EXPECT_THAT(Query("SELECT sum(value) FROM t"), ElementsAre("integer 3"));
  ASSERT_TRUE(writer_->Rollback().ok());
  EXPECT_EQ(Entries("t"), (Map{{"a", "1"}, {"b", "1"}, {"c", "1"}}));
}

TEST_F(SqlTransactions, Savepoints) {
  ASSERT_TRUE(writer_->Begin({}).ok());
  ExecInTransaction("UPDATE t SET value = 2 WHERE key = 'a'");
  ASSERT_TRUE(writer_->Savepoint("s").ok());
  ExecInTransaction("DELETE FROM t");
  EXPECT_THAT(QueryInTransaction("SELECT * FROM t"), IsEmpty());
  ASSERT_TRUE(writer_->RollbackTo("s").ok());
  EXPECT_THAT(QueryInTransaction("SELECT sum(value) FROM t"), ElementsAre("integer 4"));
  ASSERT_TRUE(writer_->Release("s").ok());
  ASSERT_TRUE(writer_->Commit().ok());
  EXPECT_EQ(Entries("t")["a"], "2");
}

TEST_F(SqlTransactions, ReadsTheSnapshotOfItsBegin) {
  ASSERT_TRUE(other_->Begin({}).ok());
  Exec("UPDATE t SET value = 5");
  EXPECT_EQ(OnOther("SELECT sum(value) FROM t")->row(), "integer 3");
  const CallPtr conflict = OnOther("UPDATE t SET value = value + 1 WHERE key = 'a'");
  EXPECT_EQ(conflict->reason(), Reason::kSerializationFailure);
  EXPECT_EQ(conflict->run.status.code(), absl::StatusCode::kAborted);
  EXPECT_EQ(OnOther("INSERT INTO t VALUES ('z', 1)")->run.status, absl::OkStatus());
  ASSERT_TRUE(other_->Commit().ok());
}

TEST_F(SqlTransactions, ReadCommittedSeesWhatIsNewest) {
  driver::TransactionOptions options;
  options.isolation = driver::Isolation::kReadCommitted;
  ASSERT_TRUE(other_->Begin(options).ok());
  EXPECT_EQ(OnOther("SELECT sum(value) FROM t")->row(), "integer 3");
  Exec("UPDATE t SET value = 5");
  EXPECT_EQ(OnOther("SELECT sum(value) FROM t")->row(), "integer 15");
  EXPECT_TRUE(OnOther("UPDATE t SET value = value + 1")->run.status.ok());
  ASSERT_TRUE(other_->Commit().ok());
  EXPECT_EQ(Entries("t")["c"], "6");
}

TEST_F(SqlTransactions, ReadOnlyRefusesWrites) {
  driver::TransactionOptions options;
  options.read_only = true;
  ASSERT_TRUE(writer_->Begin(options).ok());
  EXPECT_EQ(TryInTransaction("DELETE FROM t")->reason(), Reason::kReadOnly);
  EXPECT_EQ(TryInTransaction("DROP TABLE t")->reason(), Reason::kReadOnly);
  EXPECT_EQ(QueryInTransaction("SELECT * FROM t").size(), 3u);
  ASSERT_TRUE(writer_->Commit().ok());
}

TEST_F(SqlTransactions, AWriteOnAReaderIsOnTheWrongLane) {
  for (const char* sql :
       {"DELETE FROM t", "DROP TABLE t", "CREATE TABLE u(key TEXT, value TEXT)"}) {
    const CallPtr call = RunOn(reader_.get(), sql);
    EXPECT_TRUE(call->run.wrong_lane) << sql;
    EXPECT_TRUE(call->run.status.ok()) << sql;
  }
  EXPECT_EQ(Entries("t").size(), 3u);
}

TEST_F(SqlTransactions, AStreamReadsOneSnapshot) {
  Exec(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) "
      "INSERT INTO t SELECT printf('n%03d', i), 1 FROM n");
  Call call("SELECT a.key, b.value FROM t a JOIN t b ON a.key = b.key");
  call.run.limits.max_bytes = 100;
  driver::StatementRun* const run = &call.run;
  reader_->RunBatch({&run, 1});
  ASSERT_NE(call.run.cursor, nullptr);
  EXPECT_LT(call.output.rows.size(), 100u);
  EXPECT_EQ(RunOn(writer_.get(), "UPDATE t SET value = 2")->run.summary.rows_affected, 503);
  RunOn(writer_.get(), "DELETE FROM t WHERE key > 'n250'");
  call.run.limits.max_bytes = 1000;
  Finish(&call);
  ASSERT_TRUE(call.run.status.ok()) << call.run.status;
  EXPECT_EQ(call.output.rows.size(), 503u);
  for (const std::string& row : call.output.rows) {
    EXPECT_TRUE(row.ends_with("|integer 1")) << row;
  }
  EXPECT_THAT(Query("SELECT count(*) FROM t WHERE value = 1"), ElementsAre("integer 0"));
}

TEST_F(SqlTransactions, AStreamOutlivesTheTable) {
  Call call("SELECT * FROM t ORDER BY key");
  call.run.limits.max_bytes = 1;
  driver::StatementRun* const run = &call.run;
  reader_->RunBatch({&run, 1});
  ASSERT_NE(call.run.cursor, nullptr);
  EXPECT_TRUE(RunOn(writer_.get(), "DROP TABLE t")->run.status.ok());
  EXPECT_TRUE(RunOn(writer_.get(), "CREATE TABLE t(key TEXT, value TEXT)")->run.status.ok());
  EXPECT_TRUE(RunOn(writer_.get(), "INSERT INTO t VALUES ('new', 'x')")->run.status.ok());
  Finish(&call);
  EXPECT_TRUE(call.run.status.ok()) << call.run.status;
  EXPECT_THAT(call.output.rows,
              ElementsAre("text a|integer 1", "text b|integer 1", "text c|integer 1"));
  EXPECT_THAT(Query("SELECT * FROM t"), ElementsAre("text new|text x"));
}

TEST_F(SqlTransactions, ADropTakesUncommittedWritesAlong) {
  Exec("CREATE TABLE kept(key TEXT, value TEXT)");
  ASSERT_TRUE(other_->Begin({}).ok());
  EXPECT_TRUE(OnOther("UPDATE t SET value = 2")->run.status.ok());
  EXPECT_TRUE(OnOther("INSERT INTO kept VALUES ('a', 'b')")->run.status.ok());
  Exec("DROP TABLE t");
  EXPECT_EQ(OnOther("SELECT * FROM t")->reason(), Reason::kUndefinedTable);
  Exec("CREATE TABLE t(key TEXT, value TEXT)");
  ASSERT_TRUE(other_->Commit().ok());
  EXPECT_THAT(Query("SELECT * FROM t"), IsEmpty());
  EXPECT_EQ(Entries("kept"), (Map{{"a", "b"}}));
}

TEST_F(SqlTransactions, WhoWaitsForALockHoldsNobodyUp) {
  ASSERT_TRUE(other_->Begin({}).ok());
  ASSERT_TRUE(OnOther("UPDATE t SET value = 7 WHERE key = 'b'")->run.status.ok());
  const Calls calls = MakeCalls({"UPDATE t SET value = value + 1 WHERE key = 'a'",
                                 "UPDATE t SET value = value + 1 WHERE key = 'b'",
                                 "UPDATE t SET value = value + 1 WHERE key = 'c'"});
  driver::StatementRun* runs[] = {&calls[0]->run, &calls[1]->run, &calls[2]->run};
  ASSERT_EQ(writer_->Together(runs), 3u);
  ASSERT_EQ(writer_->RunBatch(runs), 1u);
  EXPECT_EQ(Entries("t")["a"], "2");
  EXPECT_EQ(writer_->Together(std::span(runs).subspan(1)), 1u);
  ASSERT_EQ(writer_->RunBatch(std::span(runs).subspan(1, 1)), 1u);
  EXPECT_EQ(calls[1]->reason(), Reason::kBusy);
  // It reads anew what the other has written meanwhile.
  std::thread thread([&] { writer_->RunBatch(std::span(runs).subspan(1, 1)); });
  ASSERT_TRUE(other_->Commit().ok());
  thread.join();
  EXPECT_TRUE(calls[1]->run.status.ok()) << calls[1]->run.status;
  EXPECT_EQ(Entries("t")["b"], "8");
}

TEST_F(SqlTransactions, NoUpdateIsLostAmongConnections) {
  constexpr int kThreads = 4;
  constexpr int kTimes = 50;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([this, connection = std::shared_ptr(Connect(Lane::kWrite))] {
      for (int time = 0; time < kTimes; ++time) {
        const CallPtr call =
            RunOn(connection.get(), "UPDATE t SET value = value + 1 WHERE key = 'a'");
        EXPECT_TRUE(call->run.status.ok()) << call->run.status;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Entries("t")["a"], std::to_string(1 + kThreads * kTimes));
}

TEST_F(SqlTransactions, AGroupSeesItsOwnWrites) {
  const Calls calls = MakeCalls({"UPDATE t SET value = value + 1", "UPDATE t SET value = value + 1",
                                 "INSERT INTO t VALUES ('a', 0)", "INSERT INTO t VALUES ('d', 9)",
                                 "INSERT INTO t SELECT key || key, value FROM t"});
  RunTogether(writer_.get(), calls);
  EXPECT_EQ(calls[2]->reason(), Reason::kUniqueViolation);
  EXPECT_EQ(calls[4]->run.summary.rows_affected, 4);
  EXPECT_THAT(Query("SELECT value FROM t"),
              ElementsAre("integer 3", "integer 3", "integer 3", "integer 3", "integer 3",
                          "integer 3", "integer 9", "integer 9"));
}

TEST_F(SqlTransactions, ACursorThatIsGivenUpLeavesNothingBehind) {
  ASSERT_TRUE(writer_->Begin({}).ok());
  for (int round = 0; round < 3; ++round) {
    Call call("SELECT * FROM t");
    call.run.limits.max_bytes = 1;
    writer_->Run(call.run);
    ASSERT_NE(call.run.cursor, nullptr);
    call.run.cursor.reset();
    ExecInTransaction("UPDATE t SET value = value + 1");
  }
  ASSERT_TRUE(writer_->Commit().ok());
  EXPECT_EQ(Entries("t")["a"], "4");
}

}  // namespace
}  // namespace penstock::pebble
