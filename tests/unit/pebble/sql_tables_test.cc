// CREATE TABLE and DROP TABLE, and what there is none of.
#include <gmock/gmock.h>

#include <functional>

#include "drivers/pebble/pebble_driver.h"
#include "fmt/format.h"
#include "rocksdb/db.h"
#include "tests/unit/pebble/sql_fixture.h"

namespace penstock::pebble {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Map = std::map<std::string, std::string>;

class SqlTables : public SqlTest {
 protected:
  // Of the closed database, where no keyspace is.
  void ChangeCatalog(const std::function<rocksdb::Status(rocksdb::DB*)>& change) {
    const std::string path = MakeConfig().database;
    std::vector<std::string> names;
    ASSERT_TRUE(rocksdb::DB::ListColumnFamilies({}, path, &names).ok());
    std::vector<rocksdb::ColumnFamilyDescriptor> families;
    for (const std::string& name : names)
      families.emplace_back(name, rocksdb::ColumnFamilyOptions());
    std::vector<rocksdb::ColumnFamilyHandle*> handles;
    rocksdb::DB* opened = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open({}, path, families, &handles, &opened).ok());
    const std::unique_ptr<rocksdb::DB> db(opened);
    EXPECT_TRUE(change(opened).ok());
    for (rocksdb::ColumnFamilyHandle* handle : handles) db->DestroyColumnFamilyHandle(handle);
  }
};

TEST_F(SqlTables, WaysToSayIt) {
  const char* const kGood[] = {
      "CREATE TABLE a1(key TEXT, value TEXT)",
      "CREATE TABLE a2(key TEXT PRIMARY KEY, value INTEGER)",
      "create table A3 (KEY blob not null primary key, Value double precision not null)",
      "CREATE TABLE main.a4(key VARCHAR(20), value JSON, PRIMARY KEY (key)) WITHOUT ROWID",
      "/* one */ CREATE TABLE IF NOT EXISTS \"a5\"([key] TEXT, `value` BYTEA);",
  };
  for (const char* sql : kGood) EXPECT_TRUE(Try(sql)->run.status.ok()) << Try(sql)->run.status;
  EXPECT_THAT(Query("SELECT name FROM pragma_table_list WHERE type = 'virtual' ORDER BY name"),
              ElementsAre("text a1", "text a2", "text a3", "text a4", "text a5", "text kv"));
  EXPECT_THAT(
      Query("SELECT name, type, pk FROM pragma_table_info('a3')"),
      ElementsAre("text key|text BLOB|integer 1", "text value|text double precision|integer 0"));
  EXPECT_EQ(Exec("INSERT INTO A3 VALUES ('x', 1)"), 1);
  EXPECT_EQ(Entries("a3"), (Map{{"x", "1.0"}}));
}

// Wherever a caller who goes leaves a connection that learns of the tables, the next one does
// not meet what is half done.
TEST_F(SqlTables, ACallerWhoGoesLeavesNothingToTheNext) {
  driver::Cancellation gone;
  gone.Cancel(absl::CancelledError("gone"));
  for (int tables = 1; tables <= 30; ++tables) {
    Put(fmt::format("t{}", tables), "a", "1");
    const auto connection = Connect(Lane::kRead);
    const auto none = driver::Deadline::None();
    EXPECT_EQ(connection->Describe("SELECT 1", none, &gone).status(), absl::CancelledError("gone"));
    const absl::Status next = connection->Describe("SELECT 1", none, nullptr).status();
    EXPECT_TRUE(next.ok()) << tables << ": " << next;
  }
}

TEST_F(SqlTables, WhatATableCannotBe) {
  const char* const kBad[] = {
      "CREATE TABLE t(id TEXT PRIMARY KEY, value TEXT)",
      "CREATE TABLE t(key TEXT)",
      "CREATE TABLE t(key TEXT, value TEXT, more TEXT)",
      "CREATE TABLE t(value TEXT, key TEXT)",
      "CREATE TABLE t(key INTEGER PRIMARY KEY, value TEXT)",
      "CREATE TABLE t(key INTEGER PRIMARY KEY AUTOINCREMENT, value TEXT)",
      "CREATE TABLE t(key REAL, value TEXT)",
      "CREATE TABLE t(key, value)",
      "CREATE TABLE t(key TEXT, value)",
      "CREATE TABLE t(key TEXT, value THING)",
      "CREATE TABLE t(key TEXT, value TEXT PRIMARY KEY)",
      "CREATE TABLE t(key TEXT, value TEXT, PRIMARY KEY (key, value))",
      "CREATE TABLE t(key TEXT PRIMARY KEY DESC, value TEXT)",
      "CREATE TABLE t(key TEXT, value TEXT UNIQUE)",
      "CREATE TABLE t(key TEXT, value TEXT CHECK (value > 'a'))",
      "CREATE TABLE t(key TEXT, value TEXT, CHECK (1))",
      "CREATE TABLE t(key TEXT, value TEXT DEFAULT 'x')",
      "CREATE TABLE t(key TEXT COLLATE NOCASE, value TEXT)",
      "CREATE TABLE t(key TEXT, value TEXT COLLATE RTRIM)",
      "CREATE TABLE t(key TEXT, value TEXT REFERENCES kv(key))",
      "CREATE TABLE t(key TEXT, value TEXT GENERATED ALWAYS AS (key))",
      "CREATE TABLE t(key TEXT PRIMARY KEY ON CONFLICT REPLACE, value TEXT)",
      "CREATE TABLE t(key TEXT NOT NULL ON CONFLICT IGNORE, value TEXT)",
      "CREATE TABLE t(key TEXT, value TEXT) STRICT",
      "CREATE TABLE t AS SELECT 'a' AS key, 'b' AS value",
      "CREATE TEMP TABLE t(key TEXT, value TEXT)",
      "CREATE TABLE temp.t(key TEXT, value TEXT)",
      "CREATE VIRTUAL TABLE t USING keyspace",
      "CREATE VIRTUAL TABLE t USING fts5(value)",
      "CREATE INDEX i ON kv(value)",
      "CREATE VIEW v AS SELECT * FROM kv",
      "CREATE TEMP VIEW v AS SELECT * FROM kv",
      "CREATE TRIGGER r AFTER INSERT ON kv BEGIN DELETE FROM kv; END",
      "CREATE TEMP TRIGGER r AFTER INSERT ON kv BEGIN DELETE FROM kv; END",
      "ALTER TABLE kv RENAME TO other",
      "ALTER TABLE kv ADD COLUMN more TEXT",
      "ALTER TABLE kv RENAME COLUMN value TO v",
      "ALTER TABLE kv DROP COLUMN value",
      "INSERT INTO kv VALUES ('a', 'b') ON CONFLICT (key) DO UPDATE SET value = 'c'",
      "INSERT INTO kv VALUES ('a', 'b') ON CONFLICT DO NOTHING",
      "INSERT INTO kv VALUES ('a', 'b') RETURNING key",
      "UPDATE kv SET value = 'x' RETURNING key",
      "DELETE FROM kv RETURNING key",
      "VACUUM",
      "ANALYZE",
  };
  for (const char* sql : kBad) {
    const CallPtr call = Try(sql);
    EXPECT_EQ(call->reason(), Reason::kUnsupported) << sql << "\n" << call->run.status;
    EXPECT_FALSE(driver::GetErrorInfo(call->run.status).hint.empty()) << sql;
  }
  EXPECT_EQ(Try("SELECT * FROM t")->reason(), Reason::kUndefinedTable);
  EXPECT_THAT(Query("SELECT name FROM sqlite_schema"), ElementsAre("text kv"));
}

TEST_F(SqlTables, WhatIsNotAllowed) {
  const std::pair<const char*, Reason> kCases[] = {
      {"BEGIN", Reason::kTransactionControl},
      {"COMMIT", Reason::kTransactionControl},
      {"SAVEPOINT a", Reason::kTransactionControl},
      {"ATTACH ':memory:' AS other", Reason::kNotAllowed},
      {"DETACH main", Reason::kNotAllowed},
      {"PRAGMA user_version = 5", Reason::kNotAllowed},
      {"PRAGMA writable_schema = on", Reason::kNotAllowed},
      {"PRAGMA journal_mode", Reason::kNotAllowed},
      {"SELECT load_extension('x')", Reason::kNotAllowed},
      {"", Reason::kEmptyStatement},
      {"-- nothing", Reason::kEmptyStatement},
      {"SELECT 1; SELECT 2", Reason::kMultipleStatements},
      {"DROP TABLE kv; SELECT 1", Reason::kMultipleStatements},
      {"CREATE TABLE t(key TEXT, value TEXT); SELECT 1", Reason::kMultipleStatements},
      {"CREATE TABLE t(key TEXT, value TEXT", Reason::kSyntax},
      {"CREATE TABLE t(key TEXT, value TEXT) nonsense", Reason::kSyntax},
      {"CREATE TABLE other.t(key TEXT, value TEXT)", Reason::kSyntax},
      {"CREATE TABLE kv(key TEXT, value TEXT)", Reason::kSyntax},
      {"CREATE TABLE \"with space\"(key TEXT, value TEXT)", Reason::kInvalidParameter},
      {"CREATE TABLE größe(key TEXT, value TEXT)", Reason::kInvalidParameter},
      {"CREATE TABLE _x(key TEXT, value TEXT)", Reason::kInvalidParameter},
      {"CREATE TABLE sqlite_x(key TEXT, value TEXT)", Reason::kSyntax},
      {"DROP TABLE none", Reason::kUndefinedTable},
      {"INSERT INTO sqlite_schema VALUES (1, 2, 3, 4, 5)", Reason::kSyntax},
      {"SELECT * FROM kv WHERE", Reason::kSyntax},
  };
  for (const auto& [sql, reason] : kCases) {
    const CallPtr call = Try(sql);
    EXPECT_EQ(call->reason(), reason) << sql << "\n" << call->run.status;
  }
  EXPECT_TRUE(Entries("t").empty());
  EXPECT_EQ(Try("SELECT * FROM t")->reason(), Reason::kUndefinedTable);
}

TEST_F(SqlTables, IfExistsAndIfNotExists) {
  Exec("CREATE TABLE IF NOT EXISTS t(key TEXT, value INTEGER)");
  Exec("INSERT INTO t VALUES ('a', 1)");
  Exec("CREATE TABLE IF NOT EXISTS t(key TEXT, value INTEGER)");
  Exec("CREATE TABLE IF NOT EXISTS t(key BLOB, value TEXT)");
  EXPECT_THAT(Query("SELECT * FROM t"), ElementsAre("text a|integer 1"));
  EXPECT_THAT(Try("CREATE TABLE t(key TEXT, value INTEGER)")->message(),
              HasSubstr("already exists"));
  Exec("DROP TABLE IF EXISTS t");
  Exec("DROP TABLE IF EXISTS t");
  EXPECT_EQ(Try("DROP TABLE t")->reason(), Reason::kUndefinedTable);
  Exec("CREATE TABLE t(key TEXT, value TEXT)");
  EXPECT_THAT(Query("SELECT * FROM t"), IsEmpty());
  Exec("CREATE TABLE IF NOT EXISTS kv(key TEXT, value TEXT)");
}

TEST_F(SqlTables, ExplainDoesNothing) {
  EXPECT_FALSE(Query("EXPLAIN CREATE TABLE t(key TEXT, value TEXT)").empty());
  EXPECT_FALSE(Query("EXPLAIN DROP TABLE kv").empty());
  EXPECT_FALSE(Query("EXPLAIN INSERT INTO kv VALUES ('a', 'b')").empty());
  EXPECT_TRUE(Entries("kv").empty());
  EXPECT_EQ(Try("SELECT * FROM t")->reason(), Reason::kUndefinedTable);
}

TEST_F(SqlTables, AnotherConnectionFollows) {
  const auto other = Connect(Lane::kRead);
  EXPECT_EQ(RunOn(other.get(), "SELECT * FROM t")->reason(), Reason::kUndefinedTable);
  Exec("CREATE TABLE t(key TEXT, value TEXT)");
  Exec("INSERT INTO t VALUES ('a', '1')");
  EXPECT_EQ(RunOn(other.get(), "SELECT * FROM t")->row(), "text a|text 1");
  Exec("DROP TABLE t");
  EXPECT_EQ(RunOn(other.get(), "SELECT * FROM t")->reason(), Reason::kUndefinedTable);
  Exec("CREATE TABLE t(key BLOB, value INTEGER)");
  Exec("INSERT INTO t VALUES ('a', 2)");
  EXPECT_EQ(RunOn(other.get(), "SELECT * FROM t")->row(), "blob a|integer 2");
}

TEST_F(SqlTables, DroppingTheDefaultKeyspaceEmptiesIt) {
  for (int round = 0; round < 3; ++round) {
    EXPECT_THAT(Query("SELECT * FROM kv"), IsEmpty());
    Exec("INSERT INTO kv VALUES ('a', '1')");
    Exec("DROP TABLE kv");
    Exec("DROP TABLE kv");
    EXPECT_TRUE(Entries("kv").empty());
  }
}

TEST_F(SqlTables, TypesSurviveARestart) {
  Exec("CREATE TABLE t(key TEXT PRIMARY KEY, value TIMESTAMP)");
  Exec("CREATE TABLE gone(key TEXT PRIMARY KEY, value INTEGER)");
  Exec("INSERT INTO t VALUES ('a', $1)", {Value::Timestamp(0, 0)});
  Exec("INSERT INTO gone VALUES ('a', 1)");
  const Texts before = Query("SELECT * FROM t");
  Exec("DROP TABLE gone");
  Open();
  EXPECT_EQ(Query("SELECT * FROM t"), before);
  EXPECT_EQ(Try("SELECT * FROM gone")->reason(), Reason::kUndefinedTable);
  // The name is free for a keyspace without types.
  Put("gone", "a", "1");
  EXPECT_THAT(Query("SELECT * FROM gone"), ElementsAre("blob a|blob 1"));
  Open();
  EXPECT_THAT(Query("SELECT * FROM gone"), ElementsAre("blob a|blob 1"));
}

TEST_F(SqlTables, ACreateOrDropThatWasCutShortIsTidiedUp) {
  Exec("CREATE TABLE t(key TEXT, value INTEGER)");
  Close();
  // As after the first half of a Create, or of a Drop.
  ChangeCatalog([](rocksdb::DB* db) {
    return db->Put({}, "penstock.table.half", std::string("TEXT\0INTEGER", 12));
  });
  Open();
  EXPECT_EQ(Try("SELECT * FROM half")->reason(), Reason::kUndefinedTable);
  Put("half", "a", "1");
  EXPECT_THAT(Query("SELECT * FROM half"), ElementsAre("blob a|blob 1"));
  Open();
  EXPECT_THAT(Query("SELECT * FROM half"), ElementsAre("blob a|blob 1"));
}

TEST_F(SqlTables, ADamagedCatalogIsDataLoss) {
  Exec("CREATE TABLE t(key TEXT, value INTEGER)");
  Close();
  ChangeCatalog([](rocksdb::DB* db) { return db->Put({}, "penstock.table.t", "TEXT"); });
  const auto opened = pebble::Open(MakeConfig());
  EXPECT_EQ(driver::GetErrorInfo(opened.status()).reason, Reason::kCorruption) << opened.status();
}

TEST_F(SqlTables, NotInATransaction) {
  Exec("CREATE TABLE t(key TEXT, value TEXT)");
  ASSERT_TRUE(writer_->Begin({}).ok());
  ExecInTransaction("INSERT INTO t VALUES ('a', '1')");
  for (const char* sql : {"CREATE TABLE u(key TEXT, value TEXT)", "DROP TABLE t"}) {
    const CallPtr call = TryInTransaction(sql);
    EXPECT_EQ(call->reason(), Reason::kUnsupported) << call->run.status;
    EXPECT_FALSE(driver::GetErrorInfo(call->run.status).hint.empty());
  }
  ASSERT_TRUE(writer_->Commit().ok());
  EXPECT_EQ(Entries("t"), (Map{{"a", "1"}}));
}

TEST_F(SqlTables, TheMostThereMayBe) {
  Open({{"max_keyspaces", "2"}});
  Exec("CREATE TABLE a(key TEXT, value TEXT)");
  Exec("CREATE TABLE b(key TEXT, value TEXT)");
  EXPECT_EQ(Try("CREATE TABLE c(key TEXT, value TEXT)")->reason(), Reason::kLimitExceeded);
  EXPECT_EQ(Try("INSERT INTO kv VALUES ('a', 'b')")->reason(), Reason::kLimitExceeded);
  Exec("DROP TABLE a");
  Exec("CREATE TABLE c(key TEXT, value TEXT)");
}

TEST_F(SqlTables, AGroupGoesOnAroundACreate) {
  const Calls calls =
      MakeCalls({"INSERT INTO kv VALUES ('a', '1')", "CREATE TABLE t(key TEXT, value TEXT)",
                 "INSERT INTO t SELECT CAST(key AS TEXT), 'x' FROM kv", "SELECT count(*) FROM t",
                 "DROP TABLE t"});
  std::vector<driver::StatementRun*> runs;
  for (const auto& call : calls) runs.push_back(&call->run);
  for (std::span<driver::StatementRun* const> left = runs; !left.empty();) {
    left = left.subspan(writer_->RunBatch(left.first(writer_->Together(left))));
  }
  for (const auto& call : calls) EXPECT_TRUE(call->run.status.ok()) << call->run.status;
  EXPECT_EQ(calls[3]->row(), "integer 1");
}

}  // namespace
}  // namespace penstock::pebble
