// How files are read: what a record is, where a statement ends, what is a constant.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/differential/backend.h"
#include "tests/differential/expectation.h"
#include "tests/differential/known.h"
#include "tests/differential/script.h"
#include "tests/differential/sqlite_text.h"
#include "tests/differential/sqlite_value.h"
#include "tests/differential/text.h"

namespace penstock::differential {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

using testing::Int;
using testing::Real;
using testing::Text;

std::vector<std::string> SqlOf(const Script& script) {
  std::vector<std::string> texts;
  for (const Record& record : script.records) texts.push_back(record.sql);
  return texts;
}

TEST(ReadLogic, TakesStatementsAndQueries) {
  const Script script = ReadLogic(
      "# a comment\n"
      "hash-threshold 8\n"
      "\n"
      "statement ok\n"
      "CREATE TABLE t\n"
      "  (a)\n"
      "\n"
      "statement error\r\n"
      "SELEC\r\n"
      "\r\n"
      "query IT rowsort label\n"
      "SELECT 1, 'x'\n"
      "----\n"
      "1\n"
      "x\n"
      "\n"
      "query error\n"
      "SELECT nothing\n",
      "sqlite");
  ASSERT_THAT(SqlOf(script),
              ElementsAre("CREATE TABLE t\n  (a)", "SELEC", "SELECT 1, 'x'", "SELECT nothing"));
  EXPECT_EQ(script.records[0].line, 5);
  EXPECT_EQ(script.records[0].expected.outcome, Expectation::Outcome::kSuccess);
  EXPECT_EQ(script.records[1].expected.outcome, Expectation::Outcome::kError);
  const Expectation& rows = script.records[2].expected;
  EXPECT_EQ(rows.outcome, Expectation::Outcome::kRows);
  EXPECT_EQ(rows.types, "IT");
  EXPECT_EQ(rows.sort, Expectation::Sort::kRows);
  EXPECT_THAT(rows.lines, ElementsAre("1", "x"));
  EXPECT_EQ(script.records[3].expected.outcome, Expectation::Outcome::kError);
}

TEST(ReadLogic, ConditionsAreOfTheNextRecord) {
  const Script script = ReadLogic(
      "skipif sqlite # why\nstatement ok\nA\n\n"
      "onlyif mysql\nstatement ok\nB\n\n"
      "onlyif sqlite\nskipif mysql\nstatement ok\nC\n\n"
      "onlyif mysql\nhalt\n\n"
      "statement ok\nD\n\n"
      "loop i 1 3\nwhat is in it\n\n"
      "halt\n\nstatement ok\nE\n",
      "sqlite");
  EXPECT_THAT(SqlOf(script), ElementsAre("C", "D"));
  EXPECT_THAT(script.left_out, ElementsAre(Pair("records of other backends", 2),
                                           Pair("records of the unknown kind 'loop'", 1)));
}

TEST(ReadSql, StatementsEndWhereSqliteSaysSo) {
  const Script script = ReadSql(
      "\xef\xbb\xbf-- first; not a statement\n"
      ".mode list\n"
      "CREATE TABLE t (a); INSERT INTO t VALUES ('x;y'), (\";\");\n"
      "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END;\n"
      ";; /* ; */\n"
      "SELECT 1 -- ;\n"
      "  + 1",
      SqliteBackend());
  EXPECT_THAT(SqlOf(script),
              ElementsAre("CREATE TABLE t (a);", "INSERT INTO t VALUES ('x;y'), (\";\");",
                          "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; SELECT 2; END;",
                          "SELECT 1 -- ;\n  + 1"));
  EXPECT_EQ(script.records[0].line, 3);
  EXPECT_EQ(script.records[1].line, 3);
  EXPECT_EQ(script.records[2].line, 4);
  EXPECT_EQ(script.records[3].line, 6);
  EXPECT_THAT(script.left_out, ElementsAre(Pair("commands of the shell", 1)));
}

TEST(Parameterise, TakesConstantsOnly) {
  const Parameterised got = ParameteriseSqlite(
      "SELECT 'it''s', -12, 1.5e3, x'0A', a1, \"1\", [2], `3` /* 4 */, 0x10, $a FROM t -- 5");
  EXPECT_EQ(got.sql, "SELECT $1, -$2, $3, $4, a1, \"1\", [2], `3` /* 4 */, 0x10, $a FROM t -- 5");
  ASSERT_EQ(got.args.size(), 4U);
  EXPECT_EQ(testing::ToText(got.args[0]), "'it's'");
  EXPECT_EQ(got.args[1].integer(), 12);
  EXPECT_EQ(got.args[2].real(), 1500);
  EXPECT_EQ(got.args[3].blob(), "\n");
  EXPECT_EQ(ParameteriseSqlite("SELECT 1'a'AS b").sql, "SELECT $1 $2 AS b");
  EXPECT_TRUE(ParameteriseSqlite("CREATE TABLE t (a DEFAULT 1)").args.empty());
  EXPECT_EQ(ParameteriseSqlite("SELECT 9223372036854775808").args[0].real(), 9223372036854775808.0);
}

TEST(Parameterise, SeesParameters) {
  EXPECT_TRUE(HasSqliteParameters("SELECT ?"));
  EXPECT_TRUE(HasSqliteParameters("SELECT :a"));
  EXPECT_TRUE(HasSqliteParameters("SELECT a FROM t WHERE b=@b"));
  EXPECT_FALSE(HasSqliteParameters("SELECT '?', \":a\", [$1] -- ?\n FROM t$x"));
}

TEST(ParseControl, KnowsTheSpellings) {
  using Kind = Control::Kind;
  const auto kind = [](std::string_view sql) { return ParseControl(sql).kind; };
  EXPECT_EQ(kind("BEGIN;"), Kind::kBegin);
  EXPECT_EQ(kind("-- so\nbegin immediate transaction"), Kind::kBegin);
  EXPECT_EQ(kind("START TRANSACTION"), Kind::kBegin);
  EXPECT_EQ(kind("End Transaction;"), Kind::kCommit);
  EXPECT_EQ(kind("COMMIT"), Kind::kCommit);
  EXPECT_EQ(kind("ROLLBACK TRANSACTION"), Kind::kRollback);
  EXPECT_EQ(kind("ROLLBACK TRANSACTION TO s"), Kind::kRollbackTo);
  EXPECT_EQ(ParseControl("ROLLBACK TO SAVEPOINT \"my s\"").name, "my s");
  EXPECT_EQ(kind("RELEASE SAVEPOINT s"), Kind::kRelease);
  EXPECT_EQ(kind("RELEASE s"), Kind::kRelease);
  EXPECT_EQ(kind("SAVEPOINT s"), Kind::kSavepoint);
  EXPECT_EQ(kind("BEGIN nonsense"), Kind::kNone);
  EXPECT_EQ(kind("SELECT 1"), Kind::kNone);
}

TEST(Agrees, HearsTheFile) {
  Answer answer;
  answer.columns.resize(2);
  v1::Row row;
  *row.add_values() = Int(2);
  *row.add_values() = Real(0.5);
  answer.rows.push_back(row);
  *row.mutable_values(0) = Text("");
  *row.mutable_values(1) = testing::Null();
  answer.rows.push_back(row);

  Expectation expected{.outcome = Expectation::Outcome::kRows, .types = "TR"};
  expected.lines = {"2", "0.500", "(empty)", "NULL"};
  EXPECT_EQ(Agrees(expected, answer), true);
  expected.sort = Expectation::Sort::kRows;
  EXPECT_EQ(Agrees(expected, answer), false);
  expected.lines = {"(empty)", "NULL", "2", "0.500"};
  EXPECT_EQ(Agrees(expected, answer), true);
  expected.sort = Expectation::Sort::kNone;
  // The digest of "2\n0.500\n(empty)\nNULL\n".
  expected.lines = {"4 values hashing to 11e690dc7eb3c33f5d8f12b234741e5d"};
  EXPECT_EQ(Agrees(expected, answer), true);
  expected.lines = {"4 values hashing to 00000000000000000000000000000000"};
  EXPECT_EQ(Agrees(expected, answer), false);
  EXPECT_EQ(Agrees({.outcome = Expectation::Outcome::kError}, answer), false);
  EXPECT_EQ(Agrees({}, answer), std::nullopt);
}

TEST(SameSqliteValue, TellsTypesApart) {
  const auto same = [](const v1::Value& own, const v1::Value& theirs,
                       v1::Kind declared = v1::KIND_UNSPECIFIED) {
    return SameSqliteValue(own, theirs, declared);
  };
  EXPECT_TRUE(same(Int(1), Int(1)));
  EXPECT_FALSE(same(Int(1), Text("1")));
  EXPECT_FALSE(same(Int(1), Real(1)));
  EXPECT_FALSE(same(Real(0.0), Real(-0.0)));
  EXPECT_FALSE(same(Text("a"), testing::Blob("a")));
  EXPECT_TRUE(same(Int(1), testing::Bool(true), v1::KIND_BOOLEAN));
  EXPECT_FALSE(same(Int(1), testing::Bool(true)));
  EXPECT_FALSE(same(Int(1), Int(1), v1::KIND_BOOLEAN));
  EXPECT_TRUE(same(Int(2), Int(2), v1::KIND_BOOLEAN));
  EXPECT_TRUE(same(Real(0.1), testing::Decimal("0.1"), v1::KIND_DECIMAL));
  EXPECT_FALSE(same(Real(0.1), testing::Decimal("0.10000001"), v1::KIND_DECIMAL));
  const v1::Value new_year = testing::Timestamp(1704067200, 500'000'000);
  EXPECT_TRUE(same(Text("2024-01-01 00:00:00.5"), new_year, v1::KIND_TIMESTAMP));
  EXPECT_TRUE(same(Text("2024-01-01T02:00:00.50+02:00"), new_year, v1::KIND_TIMESTAMP));
  EXPECT_FALSE(same(Text("2024-01-01 00:00:00"), new_year, v1::KIND_TIMESTAMP));
}

TEST(KnownDifferences, SayWhatIsWrongWithThem) {
  const auto error = [](const std::string& text) {
    const std::string path = ::testing::TempDir() + "/known.yaml";
    FILE* file = fopen(path.c_str(), "w");
    fputs(text.c_str(), file);
    fclose(file);
    return std::string(KnownDifferences::Read(path).status().message());
  };
  EXPECT_THAT(error("- {name: a, why: b, sql: c}"), HasSubstr("refused or difference"));
  EXPECT_THAT(error("- {name: a, why: b, sql: '(', refused: REASON_SYNTAX}"), HasSubstr("'('"));
  EXPECT_THAT(error("- {name: a, why: b, sql: c, refused: nothing}"), HasSubstr("Reason"));
  EXPECT_THAT(error("- {name: a, why: b, sql: c, difference: d, sq: e}"), HasSubstr("'sq'"));
  EXPECT_EQ(error("- {name: a, why: b, sql: c, difference: d}"), "");
}

}  // namespace
}  // namespace penstock::differential
