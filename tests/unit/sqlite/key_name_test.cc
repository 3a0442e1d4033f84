#include "drivers/sqlite_engine/key_name.h"

#include "drivers/api/error.h"
#include "gtest/gtest.h"
#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

using sqlite_engine::NameInDefinition;

TEST(KeyName, OfAColumn) {
  constexpr const char* kSql =
      "CREATE TABLE t(a INTEGER CONSTRAINT first PRIMARY KEY, b TEXT UNIQUE, "
      "c TEXT NOT NULL CONSTRAINT small CHECK (c < 'x, y') CONSTRAINT third UNIQUE COLLATE NOCASE)";
  EXPECT_EQ(NameInDefinition(kSql, "t", "t.a"), "first");
  EXPECT_EQ(NameInDefinition(kSql, "t", "t.b"), "");
  EXPECT_EQ(NameInDefinition(kSql, "t", "t.c"), "third");
  EXPECT_EQ(NameInDefinition(kSql, "t", "t.d"), "");
}

TEST(KeyName, OfATable) {
  constexpr const char* kSql =
      "create table \"T\" (a, b decimal(10, 2), -- CONSTRAINT wrong UNIQUE (a)\n"
      "/* UNIQUE */ [c d] text default (1 + (2)), constraint whole check (a > b),"
      "unique(b), CONSTRAINT \"x \"\"y\" UNIQUE (a COLLATE NOCASE DESC, b), "
      "constraint `k` primary key (\"c d\"), CONSTRAINT f FOREIGN KEY (a) REFERENCES u(a))";
  EXPECT_EQ(NameInDefinition(kSql, "T", "T.a, T.b"), "x \"y");
  EXPECT_EQ(NameInDefinition(kSql, "T", "T.c d"), "k");
  EXPECT_EQ(NameInDefinition(kSql, "T", "T.b"), "");
  EXPECT_EQ(NameInDefinition(kSql, "T", "T.a"), "");
  EXPECT_EQ(
      NameInDefinition("CREATE TABLE t(a CONSTRAINT u UNIQUE REFERENCES v(b) ON DELETE CASCADE)",
                       "t", "t.a"),
      "u");
}

TEST(KeyName, OfWhatIsBroken) {
  for (const char* sql : {"", "(", ")", "CREATE TABLE t(a CONSTRAINT", "CREATE TABLE t(a UNIQUE ('",
                          "CREATE TABLE t(\"a", "/*", "--", "CREATE TABLE t(a))))))"}) {
    EXPECT_EQ(NameInDefinition(sql, "t", "t.b"), "") << sql;
  }
}

// What SQLite itself makes of keys, and what a caller is told.
class KeyNames : public SqliteTest {
 protected:
  std::string Constraint(const std::string& sql) {
    const auto step = Try(sql);
    EXPECT_EQ(driver::GetErrorInfo(step->run.status).reason, Reason::kUniqueViolation)
        << step->run.status;
    return driver::GetErrorInfo(step->run.status).constraint;
  }
};

TEST_F(KeyNames, AreTold) {
  Exec(
      "CREATE TABLE t(id INTEGER CONSTRAINT key PRIMARY KEY, a TEXT CONSTRAINT one UNIQUE, b INT, "
      "c INT UNIQUE, CONSTRAINT two UNIQUE (a, b))");
  Exec("CREATE UNIQUE INDEX by_b ON t(b)");
  Exec("INSERT INTO t VALUES (1, 'a', 1, 1)");
  EXPECT_EQ(Constraint("INSERT INTO t VALUES (1, 'b', 2, 2)"), "key");
  EXPECT_EQ(Constraint("INSERT INTO t VALUES (2, 'a', 2, 2)"), "one");
  EXPECT_EQ(Constraint("INSERT INTO t VALUES (2, 'b', 1, 2)"), "by_b");
  EXPECT_EQ(Constraint("INSERT INTO t VALUES (2, 'b', 2, 1)"), "");
  // The connection goes on, with its limits and its transaction.
  Exec("INSERT INTO t VALUES (2, 'b', 2, 2)");
  EXPECT_EQ(Constraint("UPDATE T SET a = 'a'"), "one");
  // Two keys of the same columns have no one name.
  Exec("CREATE UNIQUE INDEX again ON t(c)");
  EXPECT_EQ(Constraint("INSERT INTO t VALUES (3, 'c', 3, 1)"), "");
}

}  // namespace
}  // namespace penstock::sqlite
