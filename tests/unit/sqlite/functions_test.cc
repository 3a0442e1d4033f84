// Which of SQLite's functions and modules clients may use.
#include "drivers/sqlite_engine/functions.h"

#include <sqlite3.h>

#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

class FunctionsTest : public SqliteTest {
 protected:
  // The first column of what the library that is linked answers.
  static std::vector<std::string> Ask(const char* sql) {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(":memory:", &db), SQLITE_OK);
    std::vector<std::string> answers;
    const auto take = [](void* to, int, char** values, char**) {
      static_cast<std::vector<std::string>*>(to)->emplace_back(values[0]);
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(db, sql, take, &answers, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
    return answers;
  }
};

TEST_F(FunctionsTest, EachFunctionOfTheLinkedLibraryIsDecided) {
  const auto names = Ask("SELECT DISTINCT name FROM pragma_function_list");
  EXPECT_GT(names.size(), 100U);
  for (const std::string& name : names) {
    EXPECT_TRUE(sqlite_engine::IsDecidedFunction(name))
        << name << ": decide in drivers/sqlite_engine/functions.cc whether a client may call it";
  }
}

TEST_F(FunctionsTest, EachModuleOfTheLinkedLibraryIsDecided) {
  const auto names = Ask("SELECT name FROM pragma_module_list");
  EXPECT_GT(names.size(), 5U);
  for (const std::string& name : names) {
    EXPECT_TRUE(sqlite_engine::IsDecidedModule(name))
        << name << ": decide in drivers/sqlite_engine/functions.cc whether a client may use it";
  }
}

TEST_F(FunctionsTest, WhatGivesAHoldOnTheProcessIsRefused) {
  Exec("CREATE VIRTUAL TABLE f USING fts3(a)");
  Exec("CREATE TABLE t(a)");
  for (const char* sql : {
           "SELECT fts3_tokenizer('simple', x'4141414141414141')",
           "SELECT FTS3_Tokenizer('simple')",
           "SELECT \"fts3_tokenizer\"('simple')",
           "WITH x AS (SELECT fts3_tokenizer('simple')) SELECT * FROM x",
           "SELECT 1 WHERE EXISTS (SELECT fts3_tokenizer('simple'))",
           "INSERT INTO t VALUES (fts3_tokenizer('simple'))",
           "INSERT INTO t VALUES (1) RETURNING fts3_tokenizer('simple')",
           "EXPLAIN SELECT fts3_tokenizer('simple')",
           "SELECT fts5(1)",
           "SELECT sqlite_log(1, 'forged')",
           "SELECT load_extension('x')",
           "SELECT load_extension('x', 'y')",
       }) {
    const auto call = Try(sql);
    EXPECT_EQ(call->reason(), Reason::kNotAllowed) << sql << ": " << call->run.status;
    EXPECT_NE(driver::GetErrorInfo(call->run.status).hint, "") << sql;
  }
  EXPECT_EQ(Read("SELECT count(*) FROM f"), "integer 0");
}

TEST_F(FunctionsTest, NorInWhatTheSchemaHolds) {
  Exec("CREATE TABLE t(a)");
  // Either it cannot be made or it cannot be used.
  const std::pair<const char*, const char*> cases[] = {
      {"CREATE VIEW v AS SELECT fts3_tokenizer('simple', x'4141414141414141') AS a",
       "SELECT * FROM v"},
      {"CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT fts3_tokenizer('simple', x'41'); END",
       "INSERT INTO t VALUES (1)"},
      {"CREATE TABLE d(a DEFAULT (fts3_tokenizer('simple')))", "INSERT INTO d DEFAULT VALUES"},
      {"CREATE TABLE c(a CHECK (fts3_tokenizer('simple') IS NOT NULL))",
       "INSERT INTO c VALUES (1)"},
      {"CREATE TABLE g(a, b AS (fts3_tokenizer('simple')))", "SELECT b FROM g"},
  };
  for (const auto& [make, use] : cases) {
    const auto made = Try(make);
    const auto used = Try(use);
    EXPECT_TRUE(!made->run.status.ok() || !used->run.status.ok()) << make;
    Try("DROP TRIGGER IF EXISTS r");
  }
}

TEST_F(FunctionsTest, OtherClientsStatementsAreNotShown) {
  Exec("SELECT 'secret'");
  for (const char* sql : {"SELECT * FROM sqlite_stmt", "SELECT sql FROM SQLITE_STMT",
                          "SELECT count(*) FROM sqlite_stmt AS s"}) {
    EXPECT_EQ(Try(sql)->reason(), Reason::kUndefinedTable) << sql;
  }
}

// Each of these ends a process that links SQLite 3.40 and does nothing about it.
TEST_F(FunctionsTest, WhatCrashesSqliteDoesNotCrashTheDaemon) {
  for (const char* tokenizer : {"trigram case_sensitive", "trigram case_sensitive 1 case_sensitive",
                                "porter trigram case_sensitive"}) {
    const auto call =
        Try("CREATE VIRTUAL TABLE f USING fts5(a, tokenize='" + std::string(tokenizer) + "')");
    EXPECT_EQ(call->reason(), Reason::kSyntax) << tokenizer << call->run.status;
  }
  Exec("CREATE VIRTUAL TABLE g USING fts5(a, tokenize='trigram case_sensitive 1')");
  Exec("INSERT INTO g VALUES ('abcdef')");
  EXPECT_EQ(Read("SELECT count(*) FROM g WHERE g MATCH 'bcd'"), "integer 1");
  for (const int columns : {65, 66, 100, 500}) {
    for (const int terms : {64, 65, 66, 200}) {
      std::string sql = "SELECT DISTINCT 1";
      for (int i = 1; i < columns; ++i) sql += ",1";
      for (int i = 0; i < terms; ++i) sql += i == 0 ? " ORDER BY 'x'" : ",'x'";
      EXPECT_EQ(Read(sql).substr(0, 9), "integer 1") << columns << " " << terms;
      EXPECT_EQ(Read("SELECT count(*) FROM (" + sql + ")"), "integer 1");
      Exec("CREATE VIEW IF NOT EXISTS v AS " + sql);
      EXPECT_EQ(Read("SELECT count(*) FROM v"), "integer 1");
      Exec("DROP VIEW v");
    }
  }
}

TEST_F(FunctionsTest, WhatSqliteDoesInsideIsItsOwn) {
  Exec("CREATE VIRTUAL TABLE r USING rtree(id, x0, x1)");
  Exec("INSERT INTO r VALUES (1, 0.0, 1.0)");
  EXPECT_EQ(Read("SELECT rtreecheck('r')"), "text ok");
  Exec("CREATE VIRTUAL TABLE f4 USING fts4(a)");
  Exec("CREATE VIRTUAL TABLE f5 USING fts5(a)");
  for (const char* table : {"f4", "f5"}) {
    const std::string name(table);
    Exec("INSERT INTO " + name + "(a) VALUES ('one two'), ('two three')");
    for (const char* command : {"optimize", "rebuild", "integrity-check"}) {
      Exec("INSERT INTO " + name + "(" + name + ") VALUES ('" + command + "')");
    }
    EXPECT_EQ(Read("SELECT count(*) FROM " + name + " WHERE " + name + " MATCH 'two'"),
              "integer 2");
  }
  Exec("INSERT INTO f5(f5, rank) VALUES ('merge', 100)");
  Exec("CREATE TABLE t(a, b DEFAULT (upper('x')), c AS (length(a)))");
  Exec("ALTER TABLE t RENAME COLUMN a TO z");
  Exec("ALTER TABLE t RENAME TO u");
  Exec("ALTER TABLE u DROP COLUMN b");
  Exec("VACUUM");
  Exec("DROP TABLE f4");
}

TEST_F(FunctionsTest, CountersOfAConnectionAreOnlyThereWhereItIsTheCallers) {
  Exec("CREATE TABLE t(id INTEGER PRIMARY KEY, a)");
  for (const char* sql : {"SELECT changes()", "SELECT total_changes()",
                          "SELECT last_insert_rowid()", "INSERT INTO t(a) VALUES (changes())"}) {
    const auto call = Try(sql);
    EXPECT_EQ(call->reason(), Reason::kNotAllowed) << sql;
    EXPECT_NE(driver::GetErrorInfo(call->run.status).hint.find("Transaction"), std::string::npos);
  }
  ASSERT_TRUE(writer_->Begin({}).ok());
  ASSERT_TRUE(TryInTransaction("INSERT INTO t VALUES (7, 'a'), (8, 'b')")->run.status.ok());
  EXPECT_EQ(TryInTransaction("SELECT changes(), last_insert_rowid()")->row(),
            "integer 2|integer 8");
  ASSERT_TRUE(writer_->Commit().ok());
  // In a trigger they are the statement's.
  Exec("CREATE TABLE log(id)");
  Exec(
      "CREATE TRIGGER r AFTER INSERT ON t BEGIN INSERT INTO log VALUES (last_insert_rowid()); END");
  Exec("INSERT INTO t(a) VALUES ('c')");
  EXPECT_EQ(Read("SELECT id FROM log"), "integer 9");
}

}  // namespace
}  // namespace penstock::sqlite
