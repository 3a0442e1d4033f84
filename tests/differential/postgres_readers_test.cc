// How texts and values of PostgreSQL are read.
#include <cmath>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/differential/backend.h"
#include "tests/differential/postgres_text.h"
#include "tests/differential/postgres_value.h"
#include "tests/differential/script.h"

namespace penstock::differential {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

using testing::Int;
using testing::Real;
using testing::Text;

std::vector<std::string> SqlOf(const Script& script) {
  std::vector<std::string> texts;
  for (const Record& record : script.records) texts.push_back(record.sql);
  return texts;
}

TEST(PostgresText, StatementsEndWherePsqlSaysSo) {
  const Script script = ReadSql(
      "-- first; /* not nested\n"
      "\\set x 1\n"
      "SELECT 'a;b', E'it\\';', \"c;\", $$;$$, $t$ $$ ; $t$, U&'\\0041;' /* ; /* ; */ ; */;\n"
      "SELECT (1; 2); SELECT $1, a$b$c FROM t;\n"
      "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END;\n"
      "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);\n"
      "COPY t FROM stdin;\n1;\t'\n\\.\n"
      "SELECT 3 \\gset\n"
      "SELECT 4 \\; SELECT 5;\n"
      "SELECT 6\n\\echo x\n+ 1;\n"
      ";; SELECT 7 -- ;\r;\n"
      "SELECT a[1:2], b::text, c := d, :x;\n"
      "SELECT a[1:2], b::text;\n"
      "SELECT 8",
      PostgresBackend());
  EXPECT_THAT(
      SqlOf(script),
      ElementsAre(
          "SELECT 'a;b', E'it\\';', \"c;\", $$;$$, $t$ $$ ; $t$, U&'\\0041;' /* ; /* ; */ ; */;",
          "SELECT (1; 2);", "SELECT $1, a$b$c FROM t;",
          "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT CASE WHEN true THEN 1 END; END;",
          "CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2);", "SELECT 6\n+ 1;",
          "SELECT 7 -- ;\r;", "SELECT a[1:2], b::text;", "SELECT 8"));
  EXPECT_EQ(script.records[0].line, 3);
  EXPECT_EQ(script.records[2].line, 4);
  EXPECT_EQ(script.records.back().line, 18);
  EXPECT_THAT(script.left_out,
              ElementsAre(Pair("COPY from the lines of the file", 1), Pair("commands of psql", 3),
                          Pair("several statements in one (\\;)", 1),
                          Pair("statements that end with a command of psql", 1),
                          Pair("statements with variables of psql", 1)));
}

TEST(PostgresText, SeesParameters) {
  EXPECT_TRUE(HasPostgresParameters("SELECT $1"));
  EXPECT_TRUE(HasPostgresParameters("SELECT E'\\'', $2"));
  EXPECT_FALSE(HasPostgresParameters("SELECT '$1', $$ $1 $$, \"$1\", a$1 -- $1\n FROM t"));
  EXPECT_FALSE(HasPostgresParameters("PREPARE p AS SELECT $1"));
}

TEST(PostgresText, KnowsTheSpellingsOfBegin) {
  using Kind = Control::Kind;
  const Control control =
      ParsePostgresControl("START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;");
  EXPECT_EQ(control.kind, Kind::kBegin);
  EXPECT_EQ(control.isolation, v1::ISOLATION_LEVEL_REPEATABLE_READ);
  EXPECT_TRUE(control.read_only);
  EXPECT_EQ(ParsePostgresControl("BEGIN ISOLATION LEVEL READ COMMITTED").isolation,
            v1::ISOLATION_LEVEL_READ_COMMITTED);
  EXPECT_EQ(ParsePostgresControl("begin work read write").kind, Kind::kBegin);
  EXPECT_EQ(ParsePostgresControl("BEGIN DEFERRABLE").kind, Kind::kNone);
  EXPECT_EQ(ParsePostgresControl("START ENGINE").kind, Kind::kNone);
  EXPECT_EQ(ParsePostgresControl("COMMIT PREPARED 'x'").kind, Kind::kNone);
  EXPECT_EQ(ParsePostgresControl("ROLLBACK WORK TO s").name, "s");
}

TEST(SamePostgresValue, KnowsTheKinds) {
  const auto same = [](const char* own, const v1::Value& theirs) {
    return SamePostgresValue(Text(own), theirs);
  };
  EXPECT_TRUE(same("t", testing::Bool(true)));
  EXPECT_FALSE(same("t", testing::Bool(false)));
  EXPECT_TRUE(same("12", Int(12)));
  EXPECT_FALSE(same("12", Int(-12)));
  EXPECT_TRUE(same("0.1", Real(0.1)));
  EXPECT_TRUE(same("0.1", Real(0.1F)));
  EXPECT_FALSE(same("0.1", Real(0.2)));
  EXPECT_FALSE(same("0", Real(-0.0)));
  EXPECT_TRUE(same("NaN", Real(std::nan(""))));
  EXPECT_TRUE(same("\\x00ff", testing::Blob(std::string("\0\xff", 2))));
  EXPECT_FALSE(same("\\x00fe", testing::Blob(std::string("\0\xff", 2))));
  EXPECT_TRUE(same("1.50", testing::Decimal("1.50")));
  EXPECT_FALSE(same("1.50", testing::Decimal("1.5")));
  EXPECT_TRUE(same("2024-01-01 00:00:00.5+00", testing::Timestamp(1704067200, 500'000'000)));
  EXPECT_TRUE(same("2024-01-01 00:00:00", testing::Timestamp(1704067200, 0)));
  EXPECT_FALSE(same("2024-01-01 00:00:01", testing::Timestamp(1704067200, 0)));
  // As a session's own zone has it.
  EXPECT_TRUE(same("2024-01-01 03:00:00+03", testing::Timestamp(1704067200, 0)));
  EXPECT_TRUE(same("2023-12-31 20:30:00-03:30", testing::Timestamp(1704067200, 0)));
  EXPECT_FALSE(same("2024-01-01 00:00:00-03", testing::Timestamp(1704067200, 0)));
  // As bytea_output = 'escape' has them.
  EXPECT_TRUE(same("a\\000\\\\", testing::Blob(std::string("a\0\\", 3))));
  EXPECT_FALSE(same("a\\00", testing::Blob(std::string("a\0", 2))));
  EXPECT_TRUE(SamePostgresValue(testing::Null(), testing::Null()));
  EXPECT_FALSE(SamePostgresValue(testing::Null(), Text("")));
  EXPECT_FALSE(same("NULL", testing::Null()));
}

TEST(SamePostgresValue, ReadsArrays) {
  v1::Value list;
  *list.mutable_array()->add_values() = Text("a \"b\",");
  *list.mutable_array()->add_values() = testing::Null();
  *list.mutable_array()->add_values() = Text("NULL");
  const auto same = [&](const char* own) { return SamePostgresValue(Text(own), list); };
  EXPECT_TRUE(same("{\"a \\\"b\\\",\",NULL,\"NULL\"}"));
  EXPECT_FALSE(same("{\"a \\\"b\\\",\",NULL,NULL}"));
  EXPECT_FALSE(same("{\"a \\\"b\\\",\",NULL}"));
  EXPECT_FALSE(same("{\"a \\\"b\\\",\",NULL,\"NULL\",x}"));
  v1::Value nested;
  *nested.mutable_array()->add_values() = list;
  EXPECT_TRUE(SamePostgresValue(Text("{{\"a \\\"b\\\",\",NULL,\"NULL\"}}"), nested));
  EXPECT_FALSE(SamePostgresValue(Text("{}"), nested));
  v1::Value numbers;
  *numbers.mutable_array()->add_values()->mutable_array()->add_values() = Int(42);
  EXPECT_TRUE(SamePostgresValue(Text("{{42}}"), numbers));
  EXPECT_TRUE(SamePostgresValue(Text("{\"{42}\"}"), numbers));
  EXPECT_FALSE(SamePostgresValue(Text("{\"{43}\"}"), numbers));
}

}  // namespace
}  // namespace penstock::differential
