// What a caller may do who may only read, on every sort of connection. Nothing of it lasts, which
// each test proves by looking at the database afterwards.
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <utility>

#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

// Everything that writes, or reaches beyond the database.
constexpr const char* kRefused[] = {
    "INSERT INTO t VALUES (2, 'b')",
    "INSERT INTO t VALUES (2, 'b') RETURNING id",
    "WITH w(id) AS (SELECT 2) INSERT INTO t SELECT id, 'b' FROM w",
    "WITH w(id) AS (SELECT 1) UPDATE t SET name = 'b' WHERE id IN (SELECT id FROM w)",
    "UPDATE t SET name = 'b'",
    "DELETE FROM t",
    "REPLACE INTO t VALUES (1, 'b')",
    "INSERT INTO docs(docs) VALUES ('optimize')",
    "EXPLAIN INSERT INTO t VALUES (2, 'b')",
    "CREATE TABLE made (a)",
    "CREATE TABLE made AS SELECT * FROM t",
    "CREATE TEMP TABLE made (a)",
    "CREATE TEMP VIEW made AS SELECT 1",
    "CREATE INDEX made ON t (name)",
    "CREATE TRIGGER made AFTER INSERT ON t BEGIN DELETE FROM t; END",
    "CREATE VIRTUAL TABLE temp.made USING fts5(body)",
    "DROP TABLE t",
    "ALTER TABLE t ADD COLUMN made",
    "ANALYZE",
    "REINDEX",
    "VACUUM",
    "VACUUM INTO 'only_read_made.db'",
    "ATTACH 'only_read_made.db' AS made",
    "ATTACH ':memory:' AS made",
    "PRAGMA user_version = 7",
    "PRAGMA application_id = 7",
    "PRAGMA incremental_vacuum",
    "PRAGMA wal_checkpoint(TRUNCATE)",
    "PRAGMA query_only = off",
    "PRAGMA journal_mode = delete",
    "SELECT load_extension('made')",
    // A function that writes.
    "SELECT optimize(docs) FROM docs LIMIT 1",
};

// These do something, or not, as they see fit.
constexpr const char* kOfNoEffect[] = {"PRAGMA optimize", "PRAGMA optimize(-1)",
                                       "SELECT * FROM pragma_optimize"};

constexpr const char* kAllowed[] = {
    "SELECT * FROM t",        "WITH w AS (SELECT * FROM t) SELECT count(*) FROM w",
    "VALUES (1), (2)",        "EXPLAIN QUERY PLAN SELECT * FROM t",
    "PRAGMA user_version",    "PRAGMA table_info(t)",
    "PRAGMA integrity_check", "SELECT count(*) FROM docs WHERE docs MATCH 'one'",
};

class OnlyReadTest : public SqliteTest {
 protected:
  OnlyReadTest() { Fill({{"allow_attach", "on"}}); }

  void Fill(const std::map<std::string, std::string>& options) {
    OpenWith(options);
    FillOpen();
  }
  void FillOpen() {
    Exec("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT)");
    Exec("INSERT INTO t VALUES (1, 'a')");
    Exec("CREATE VIRTUAL TABLE docs USING fts4(body)");
    // A segment each, for optimize() to merge.
    for (const char* text : {"one", "two", "three"}) {
      Exec(std::string("INSERT INTO docs VALUES ('") + text + "')");
    }
  }

  // Tells what is there, as far as a statement could change it.
  std::string State() {
    std::string state;
    for (const char* sql :
         {"SELECT group_concat(sql, ';') FROM sqlite_schema",
          "SELECT group_concat(name, ';') FROM temp.sqlite_schema",
          "SELECT group_concat(id || name, ';') FROM t", "SELECT count(*) FROM docs_segdir",
          "PRAGMA user_version", "PRAGMA application_id",
          "SELECT group_concat(name, ';') FROM pragma_database_list"}) {
      const auto call = Try(sql);
      EXPECT_TRUE(call->run.status.ok()) << sql << ": " << call->run.status;
      state += call->row() + "\n";
    }
    EXPECT_FALSE(std::filesystem::exists("only_read_made.db"));
    return state;
  }

  static std::unique_ptr<Call> MakeReaders(const std::string& sql) {
    auto call = std::make_unique<Call>(sql);
    call->run.must_only_read = true;
    return call;
  }
  static std::unique_ptr<Call> RunAsReader(driver::Connection* connection, const std::string& sql) {
    auto call = MakeReaders(sql);
    driver::StatementRun* const run = &call->run;
    EXPECT_EQ(connection->RunBatch({&run, 1}), 1u);
    EXPECT_FALSE(call->run.wrong_lane) << sql;
    call->run.cursor.reset();
    return call;
  }

  // Tries all of them, each by `run`.
  void TryAll(const std::function<std::unique_ptr<Call>(const std::string&)>& run) {
    const std::string before = State();
    for (const char* sql : kRefused) {
      const auto call = run(sql);
      EXPECT_EQ(call->reason(), Reason::kNotAllowed) << sql << ": " << call->run.status;
      EXPECT_EQ(State(), before) << sql;
    }
    for (const char* sql : kOfNoEffect) {
      run(sql);
      EXPECT_EQ(State(), before) << sql;
    }
    for (const char* sql : kAllowed) {
      const auto call = run(sql);
      EXPECT_TRUE(call->run.status.ok()) << sql << ": " << call->run.status;
      EXPECT_FALSE(call->output.rows.empty()) << sql;
    }
    EXPECT_EQ(State(), before);
  }
};

TEST_F(OnlyReadTest, OnAConnectionThatReads) {
  TryAll([this](const std::string& sql) { return RunAsReader(reader_.get(), sql); });
}

TEST_F(OnlyReadTest, OnTheWriter) {
  TryAll([this](const std::string& sql) { return RunAsReader(writer_.get(), sql); });
  // Others write on it as before.
  Exec("INSERT INTO t VALUES (2, 'b')");
  EXPECT_EQ(Try("SELECT optimize(docs) FROM docs LIMIT 1")->row(), "text Index optimized");
}

TEST_F(OnlyReadTest, InMemory) {
  driver::Config config = ConfigFor("");
  config.database = ":memory:";
  OpenConfig(config);
  FillOpen();
  for (driver::Connection* connection : {reader_.get(), writer_.get()}) {
    TryAll([&](const std::string& sql) { return RunAsReader(connection, sql); });
  }
}

TEST_F(OnlyReadTest, InATransaction) {
  for (driver::Connection* connection : {reader_.get(), writer_.get()}) {
    TryAll([&](const std::string& sql) {
      EXPECT_TRUE(connection->Begin({.must_only_read = true}).ok());
      auto call = std::make_unique<Call>(sql);
      connection->Run(call->run);
      call->run.cursor.reset();
      EXPECT_FALSE(connection->transaction_aborted()) << sql;
      EXPECT_TRUE(connection->Commit().ok()) << sql;
      return call;
    });
  }
  // The next transaction on it may write.
  ASSERT_TRUE(writer_->Begin({}).ok());
  EXPECT_TRUE(TryInTransaction("INSERT INTO t VALUES (2, 'b')")->run.status.ok());
  ASSERT_TRUE(writer_->Commit().ok());
}

// The transaction decides, and not what is said of a run in it.
TEST_F(OnlyReadTest, TheTransactionDecides) {
  ASSERT_TRUE(writer_->Begin({}).ok());
  const auto call = MakeReaders("INSERT INTO t VALUES (2, 'b')");
  writer_->Run(call->run);
  EXPECT_TRUE(call->run.status.ok()) << call->run.status;
  ASSERT_TRUE(writer_->Commit().ok());
}

TEST_F(OnlyReadTest, AGroupGoesOnAroundIt) {
  Calls calls;
  for (const auto& [sql, only_reads] : std::initializer_list<std::pair<const char*, bool>>{
           {"INSERT INTO t VALUES (2, 'b')", false},
           {"INSERT INTO t VALUES (3, 'c')", true},
           {"SELECT count(*) FROM t", true},
           {"SELECT optimize(docs) FROM docs LIMIT 1", true},
           {"INSERT INTO t VALUES (4, 'd')", false}}) {
    calls.push_back(std::make_unique<Call>(sql));
    calls.back()->run.must_only_read = only_reads;
  }
  RunTogether(writer_.get(), calls);
  EXPECT_TRUE(calls[0]->run.status.ok()) << calls[0]->run.status;
  EXPECT_EQ(calls[1]->reason(), Reason::kNotAllowed) << calls[1]->run.status;
  EXPECT_EQ(calls[2]->row(), "integer 2") << calls[2]->run.status;
  EXPECT_EQ(calls[3]->reason(), Reason::kNotAllowed) << calls[3]->run.status;
  EXPECT_TRUE(calls[4]->run.status.ok()) << calls[4]->run.status;
  EXPECT_EQ(Read("SELECT group_concat(id, ' ') FROM t"), "text 1 2 4");
}

TEST_F(OnlyReadTest, ReadersShareASnapshotWithOthers) {
  Calls calls = MakeCalls({"SELECT name FROM t", "DELETE FROM t", "SELECT count(*) FROM t"});
  calls[0]->run.must_only_read = calls[1]->run.must_only_read = true;
  RunTogether(reader_.get(), calls);
  EXPECT_EQ(calls[0]->row(), "text a");
  EXPECT_EQ(calls[1]->reason(), Reason::kNotAllowed);
  EXPECT_EQ(calls[2]->row(), "integer 1");
}

TEST_F(OnlyReadTest, RowsAndChecks) {
  const std::vector<std::vector<Value>> rows = {{Value::Integer(1)}, {Value::Integer(2)}};
  for (driver::Connection* connection : {reader_.get(), writer_.get()}) {
    for (const auto& [sql, reason] : std::initializer_list<std::pair<const char*, Reason>>{
             {"SELECT * FROM t WHERE id = $1", Reason::kUnspecified},
             {"DELETE FROM t WHERE id = $1", Reason::kNotAllowed}}) {
      const auto call = MakeReaders(sql);
      call->run.rows = rows;
      driver::StatementRun* const run = &call->run;
      connection->RunBatch({&run, 1});
      EXPECT_EQ(call->reason(), reason) << call->run.status;
    }
  }
  const auto check = MakeReaders("DELETE FROM t");
  check->run.prepare_only = true;
  driver::StatementRun* const run = &check->run;
  reader_->RunBatch({&run, 1});
  EXPECT_EQ(check->reason(), Reason::kNotAllowed) << check->run.status;
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 1");
}

TEST_F(OnlyReadTest, AResultOfManyBatches) {
  const auto call = MakeReaders("SELECT value FROM json_each('[1,2,3,4]')");
  call->run.limits.max_bytes = 1;
  driver::StatementRun* const run = &call->run;
  reader_->RunBatch({&run, 1});
  ASSERT_NE(call->run.cursor, nullptr) << call->run.status;
  absl::StatusOr<bool> more = true;
  while (more.ok() && *more) {
    call->output.TakeAway();
    more = call->run.cursor->Fetch(call->run.limits, &call->output);
  }
  EXPECT_TRUE(more.ok()) << more.status();
  EXPECT_EQ(call->output.rows.size(), 4u);
}

}  // namespace
}  // namespace penstock::sqlite
