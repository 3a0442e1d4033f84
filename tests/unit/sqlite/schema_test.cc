// Schemas as SQLite's documents and other tools have them: what the shell takes is taken,
// and what the strict options do not take is told, and never called damage.
#include <sqlite3.h>

#include <initializer_list>
#include <vector>

#include "drivers/sqlite/sqlite_driver.h"
#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

const std::map<std::string, std::string> kUntrusted = {{"trusted_schema", "off"}};
const std::map<std::string, std::string> kNoStrings = {{"double_quoted_strings", "off"}};

class SchemaTest : public SqliteTest {
 protected:
  void ExecAll(std::initializer_list<const char*> statements) {
    for (const char* sql : statements) Exec(sql);
  }

  // With SQLite itself, as any other program, into the file that `options` opens next.
  void Write(const char* sql) {
    reader_.reset();
    writer_.reset();
    driver_.reset();
    Execute(sql);
  }
  // The same while the driver has it open.
  void Execute(const char* sql) const {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open((folder_ + "/test.db").c_str(), &db), SQLITE_OK);
    char* error = nullptr;
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, &error), SQLITE_OK) << error;
    sqlite3_free(error);
    sqlite3_close(db);
  }

  static bool Has(const absl::Status& status, const std::string& text) {
    return std::string(status.message()).find(text) != std::string::npos;
  }
  static bool Hints(const absl::Status& status, const std::string& text) {
    return driver::GetErrorInfo(status).hint.find(text) != std::string::npos;
  }
};

// https://sqlite.org/fts5.html#external_content_tables, as it stands there.
TEST_F(SchemaTest, FullTextIndexOfATableKeptByTriggers) {
  ExecAll(
      {"CREATE TABLE tbl(a INTEGER PRIMARY KEY, b, c)",
       "CREATE VIRTUAL TABLE fts_idx USING fts5(b, c, content='tbl', content_rowid='a')",
       "CREATE TRIGGER tbl_ai AFTER INSERT ON tbl BEGIN INSERT INTO fts_idx(rowid, b, c) VALUES "
       "(new.a, new.b, new.c); END",
       "CREATE TRIGGER tbl_ad AFTER DELETE ON tbl BEGIN INSERT INTO fts_idx(fts_idx, rowid, b, "
       "c) VALUES('delete', old.a, old.b, old.c); END",
       "CREATE TRIGGER tbl_au AFTER UPDATE ON tbl BEGIN INSERT INTO fts_idx(fts_idx, rowid, b, "
       "c) VALUES('delete', old.a, old.b, old.c); INSERT INTO fts_idx(rowid, b, c) VALUES "
       "(new.a, new.b, new.c); END",
       "INSERT INTO tbl VALUES (1, 'red apple', 'x'), (2, 'green pear', 'y')",
       "UPDATE tbl SET b = 'green apple' WHERE a = 2", "DELETE FROM tbl WHERE a = 1"});
  EXPECT_EQ(Read("SELECT rowid, b FROM fts_idx WHERE fts_idx MATCH 'apple'"),
            "integer 2|text green apple");
  EXPECT_EQ(Read("SELECT count(*) FROM fts_idx WHERE fts_idx MATCH 'pear'"), "integer 0");
  Exec("INSERT INTO fts_idx(fts_idx) VALUES('rebuild')");
  Exec("CREATE VIEW found AS SELECT b FROM fts_idx WHERE fts_idx MATCH 'apple'");
  EXPECT_EQ(Read("SELECT * FROM found"), "text green apple");
}

TEST_F(SchemaTest, RTreeInTriggersAndViews) {
  ExecAll({"CREATE TABLE place(id INTEGER PRIMARY KEY, x REAL, y REAL)",
           "CREATE VIRTUAL TABLE place_index USING rtree(id, x0, x1, y0, y1)",
           "CREATE TRIGGER place_ai AFTER INSERT ON place BEGIN INSERT INTO place_index VALUES "
           "(new.id, new.x, new.x, new.y, new.y); END",
           "CREATE VIEW near AS SELECT p.id FROM place AS p JOIN place_index AS i USING (id) WHERE "
           "i.x0 >= 1 AND i.x1 <= 3",
           "INSERT INTO place VALUES (1, 2, 2), (2, 9, 9)"});
  EXPECT_EQ(Read("SELECT * FROM near"), "integer 1");
}

TEST_F(SchemaTest, JsonEverywhere) {
  ExecAll(
      {"CREATE TABLE t(id INTEGER PRIMARY KEY, j TEXT CHECK (json_valid(j)), "
       "tags TEXT DEFAULT (json_array('a', 1)), "
       "name TEXT GENERATED ALWAYS AS (json_extract(j, '$.name')) VIRTUAL, "
       "age INT AS (j ->> '$.age') STORED)",
       "CREATE INDEX by_name ON t(name)", "CREATE INDEX by_city ON t(json_extract(j, '$.city'))",
       "CREATE INDEX adults ON t(id) WHERE json_extract(j, '$.age') > 17",
       "CREATE VIEW names AS SELECT name, e.value AS tag FROM t, json_each(t.tags) AS e",
       "CREATE TABLE log(what)",
       "CREATE TRIGGER t_ai AFTER INSERT ON t BEGIN INSERT INTO log VALUES (json_object('id', "
       "new.id)); END",
       R"(INSERT INTO t(j) VALUES ('{"name": "ada", "age": 36, "city": "x"}'))"});
  Exec("CREATE TABLE c(j CHECK (json_valid(j)))");
  EXPECT_EQ(Try("INSERT INTO c VALUES ('{')")->reason(), Reason::kCheckViolation);
  // And after the schema has been read again.
  for (int i = 0; i < 2; ++i) {
    Exec("CREATE TABLE other" + std::to_string(i) + "(a)");
    EXPECT_EQ(Read("SELECT name, age, tags FROM t WHERE name = 'ada'"),
              R"(text ada|integer 36|text ["a",1])");
    EXPECT_EQ(Read("SELECT count(*) FROM names"), "integer 2");
    EXPECT_EQ(Read("SELECT what FROM log"), R"(text {"id":1})");
    Exec(R"(UPDATE t SET j = '{"name": "ada", "age": 36}')");
    OpenWith({});
  }
}

TEST_F(SchemaTest, TextInDoubleQuotes) {
  ExecAll({"CREATE TABLE t(a TEXT CHECK (a <> \"bad\") DEFAULT \"none\", b)",
           "CREATE INDEX i ON t(b) WHERE a = \"x\"",
           "CREATE VIEW v AS SELECT a FROM t WHERE b = \"yes\"",
           "INSERT INTO t(b) VALUES (\"yes\")"});
  EXPECT_EQ(Read("SELECT a FROM v"), "text none");
  EXPECT_EQ(Read("SELECT \"hello\", \"a\" FROM t"), "text hello|text none");
  EXPECT_EQ(Try("INSERT INTO t VALUES (\"bad\", 1)")->reason(), Reason::kCheckViolation);
}

// A file that some other program has made, with the strict settings.
constexpr char kOthersSchema[] =
    "CREATE TABLE plain(a); INSERT INTO plain VALUES ('x');"
    "CREATE TABLE t(j, n AS (json_extract(j, '$.n'))); CREATE INDEX i ON t(n);";

TEST_F(SchemaTest, AnUntrustedSchemaIsToldWhenItIsOpened) {
  Write(kOthersSchema);
  driver::Config config = ConfigFor("test.db");
  config.options = kUntrusted;
  const auto opened = Open(config);
  EXPECT_EQ(driver::GetErrorInfo(opened.status()).reason, Reason::kNotAllowed) << opened.status();
  EXPECT_TRUE(Has(opened.status(), "test.db")) << opened.status();
  EXPECT_TRUE(Has(opened.status(), "unsafe use of json_extract()")) << opened.status();
  EXPECT_FALSE(Has(opened.status(), "malformed")) << opened.status();
  EXPECT_TRUE(Hints(opened.status(), "trusted_schema"));
  OpenWith({});
  EXPECT_EQ(Read("SELECT a FROM plain"), "text x");
  EXPECT_EQ(Read("PRAGMA integrity_check"), "text ok");
}

// Somebody changes it while it is open: every statement says why, none that it is damaged.
TEST_F(SchemaTest, AnUntrustedSchemaIsNeverCalledDamaged) {
  OpenWith(kUntrusted);
  Exec("CREATE TABLE before_it(a)");
  Execute(kOthersSchema);
  for (const char* sql : {"SELECT a FROM plain", "SELECT * FROM before_it",
                          "INSERT INTO plain VALUES (1)", "CREATE TABLE more(a)"}) {
    for (int i = 0; i < 2; ++i) {
      const auto call = Try(sql);
      EXPECT_EQ(call->reason(), Reason::kNotAllowed) << sql << call->run.status;
      EXPECT_FALSE(Has(call->run.status, "malformed")) << call->run.status;
      EXPECT_TRUE(Has(call->run.status, "json_extract()")) << call->run.status;
      EXPECT_TRUE(Hints(call->run.status, "trusted_schema"));
    }
  }
}

TEST_F(SchemaTest, WhatAnUntrustedSchemaMayNotHaveIsToldWhenItIsMade) {
  OpenWith(kUntrusted);
  ExecAll({"CREATE TABLE p(a)", "CREATE VIRTUAL TABLE f USING fts5(a)"});
  for (const char* sql :
       {"CREATE TABLE t(a CHECK (json_valid(a)))",
        "CREATE TABLE t(a, b AS (json_extract(a, '$.b')))",
        "CREATE INDEX i ON p(json_extract(a, '$.b'))", "CREATE INDEX i ON p(a) WHERE json_valid(a)",
        "ALTER TABLE p ADD COLUMN b AS (json_extract(a, '$.b'))"}) {
    const auto call = Try(sql);
    EXPECT_EQ(call->reason(), Reason::kNotAllowed) << sql << call->run.status;
    EXPECT_TRUE(Hints(call->run.status, "trusted_schema")) << sql;
  }
  ExecAll({"CREATE VIEW v AS SELECT json_array(1)",
           "CREATE TRIGGER g AFTER INSERT ON p BEGIN INSERT INTO f VALUES (new.a); END"});
  for (const char* sql : {"SELECT * FROM v", "INSERT INTO p VALUES (1)"}) {
    const auto call = Try(sql);
    EXPECT_EQ(call->reason(), Reason::kNotAllowed) << sql << call->run.status;
    EXPECT_TRUE(Hints(call->run.status, "trusted_schema")) << sql;
  }
  // In a statement of the caller's own it is as good as ever; and the innocuous ones are.
  EXPECT_EQ(Read("SELECT json_array(1)"), "text [1]");
  ExecAll({"CREATE TABLE u(a, b AS (lower(a)), CHECK (length(a) < 9))", "CREATE INDEX i ON u(b)",
           "INSERT INTO u VALUES ('X')"});
  EXPECT_EQ(Read("SELECT b FROM u WHERE b = 'x'"), "text x");
}

TEST_F(SchemaTest, TrustLeavesWhatSqliteAllowsInStatementsOnly) {
  Exec("CREATE VIEW v AS SELECT * FROM dbstat");
  const auto call = Try("SELECT * FROM v");
  EXPECT_EQ(call->reason(), Reason::kNotAllowed) << call->run.status;
  EXPECT_FALSE(Hints(call->run.status, "trusted_schema"));
  EXPECT_TRUE(Hints(call->run.status, "in a statement"));
}

TEST_F(SchemaTest, WithoutTextInDoubleQuotesAMisspeltNameIsToldSo) {
  Write(
      "CREATE TABLE t(a TEXT DEFAULT \"none\" CHECK (a <> \"bad\"), b);"
      "CREATE INDEX i ON t(b) WHERE a = \"x\";"
      "CREATE VIEW v AS SELECT a FROM t WHERE b = \"yes\"");
  OpenWith(kNoStrings);
  // What tables and indexes have of it is read all the same.
  Exec("INSERT INTO t(b) VALUES ('yes')");
  EXPECT_EQ(Read("SELECT \"a\" FROM \"t\""), "text none");
  for (const char* sql :
       {"SELECT \"hello\"", "SELECT a FROM t WHERE \"A lot\" = a",
        "INSERT INTO t VALUES (\"x\", 1)", "CREATE TABLE n(a CHECK (a <> \"no\"))",
        "UPDATE t SET a = \"it \"\"is\"\"\"", "CREATE INDEX n ON t(\"nothing\")"}) {
    const auto call = Try(sql);
    EXPECT_EQ(call->reason(), Reason::kSyntax) << sql << call->run.status;
    EXPECT_TRUE(Hints(call->run.status, "single quotes")) << sql << call->run.status;
    EXPECT_TRUE(Hints(call->run.status, "double_quoted_strings")) << sql;
  }
  const auto view = Try("SELECT * FROM v");
  EXPECT_EQ(view->reason(), Reason::kSyntax) << view->run.status;
  EXPECT_TRUE(Hints(view->run.status, "double_quoted_strings")) << view->run.status;
  EXPECT_EQ(driver::GetErrorInfo(view->run.status).position, 0);
  // A name without quotes has nothing to do with it.
  EXPECT_EQ(driver::GetErrorInfo(Try("SELECT hello")->run.status).hint, "");
  OpenWith({});
  EXPECT_EQ(Read("SELECT a FROM v"), "text none");
}

// By a newer SQLite, say: the file is sound, and this one cannot read it.
TEST_F(SchemaTest, ASchemaOfANewerSqliteIsNotCalledDamaged) {
  Write(
      "CREATE TABLE t(a); PRAGMA writable_schema=ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE "
      "t(a) WITH MANY IDEAS'");
  const auto newer = Open(ConfigFor("test.db"));
  EXPECT_EQ(driver::GetErrorInfo(newer.status()).reason, Reason::kUnsupported) << newer.status();
  EXPECT_TRUE(Hints(newer.status(), "may be newer")) << newer.status();
  EXPECT_FALSE(Has(newer.status(), "malformed")) << newer.status();
}

TEST_F(SchemaTest, ADamagedSchemaIsCalledDamaged) {
  Write("CREATE TABLE t(a); PRAGMA writable_schema=ON; UPDATE sqlite_schema SET rootpage = 999");
  const auto damaged = Open(ConfigFor("test.db"));
  EXPECT_EQ(driver::GetErrorInfo(damaged.status()).reason, Reason::kCorruption) << damaged.status();
}

TEST_F(SchemaTest, SwitchesThatAreNone) {
  for (const char* option : {"trusted_schema", "double_quoted_strings"}) {
    driver::Config config = ConfigFor("test.db");
    config.options = {{option, "maybe"}};
    const auto opened = Open(config);
    EXPECT_TRUE(Has(opened.status(), std::string(option) + ": expected on or off, not 'maybe'"));
  }
}

}  // namespace
}  // namespace penstock::sqlite
