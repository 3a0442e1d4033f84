#include "migrations/splitter.h"

#include "drivers/api/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace penstock::migrations {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

enum class Dialects { kBoth, kSqlite, kPostgres };

struct SplitCase {
  std::string name;
  Dialects where;
  std::string script;
  std::vector<std::string> statements;
};

class Split : public ::testing::TestWithParam<SplitCase> {};

std::vector<std::string> Texts(const std::string& script, const Syntax& syntax) {
  absl::StatusOr<std::vector<SqlStatement>> split = SplitSql(script, syntax);
  if (!split.ok()) return {"error: " + std::string(split.status().message())};
  std::vector<std::string> texts;
  for (const SqlStatement& statement : *split) texts.push_back(statement.text);
  return texts;
}

TEST_P(Split, GivesTheStatements) {
  if (GetParam().where != Dialects::kPostgres) {
    EXPECT_EQ(Texts(GetParam().script, SqliteSyntax()), GetParam().statements) << "sqlite";
  }
  if (GetParam().where != Dialects::kSqlite) {
    EXPECT_EQ(Texts(GetParam().script, PostgresSyntax()), GetParam().statements) << "postgres";
  }
}

const SplitCase kCases[] = {
    {"Nothing", Dialects::kBoth, "", {}},
    {"CommentsAlone", Dialects::kBoth, "-- a;b\n/* c;d */ ;;\n", {}},
    {"One", Dialects::kBoth, "select 1", {"select 1"}},
    {"Two", Dialects::kBoth, "select 1; select 2;\n", {"select 1", "select 2"}},
    {"StringWithSemicolon",
     Dialects::kBoth,
     "select 'a;b'; select 2",
     {"select 'a;b'", "select 2"}},
    {"DoubledQuote", Dialects::kBoth, "select 'it''s;'; x", {"select 'it''s;'", "x"}},
    {"BackslashIsNoEscape", Dialects::kBoth, "select 'a\\'; x", {"select 'a\\'", "x"}},
    {"QuotedName", Dialects::kBoth, "select \"a;\"\"b\"; x", {"select \"a;\"\"b\"", "x"}},
    {"CommentInside", Dialects::kBoth, "select 1 -- ;\n+ 2; x", {"select 1 -- ;\n+ 2", "x"}},
    {"CommentsAround", Dialects::kBoth, "/* a */ select 1 /* ; */ ; -- b\nx", {"select 1", "x"}},
    {"QuoteInComment", Dialects::kBoth, "-- don't\nselect 1; /* ' */ x", {"select 1", "x"}},
    {"MinusMinusInString", Dialects::kBoth, "select '--;'; x", {"select '--;'", "x"}},
    {"NestedComment", Dialects::kPostgres, "/* a /* ; */ b; */ x; y", {"x", "y"}},
    {"CommentsDoNotNest", Dialects::kSqlite, "/* a /* b */ x; y", {"x", "y"}},
    {"DollarQuotes", Dialects::kPostgres, "do $$ begin; end $$; x", {"do $$ begin; end $$", "x"}},
    {"DollarTag", Dialects::kPostgres, "do $a$ ; $b$ ; $$ $a$; x", {"do $a$ ; $b$ ; $$ $a$", "x"}},
    {"Parameters", Dialects::kPostgres, "select $1; select $2", {"select $1", "select $2"}},
    {"DollarInName", Dialects::kPostgres, "select a$b$c; x$b$", {"select a$b$c", "x$b$"}},
    {"EscapeString", Dialects::kPostgres, "select E'a\\';b'; x", {"select E'a\\';b'", "x"}},
    {"NameThatEndsInE", Dialects::kPostgres, "select date'a\\'; x", {"select date'a\\'", "x"}},
    {"BracketName", Dialects::kSqlite, "select [a;b], `c;d`; x", {"select [a;b], `c;d`", "x"}},
    {"ArrayIsNoName", Dialects::kPostgres, "select a[1]; x", {"select a[1]", "x"}},
    {"Rule",
     Dialects::kPostgres,
     "create rule r as on insert to t do (a; b); x",
     {"create rule r as on insert to t do (a; b)", "x"}},
    {"Trigger",
     Dialects::kSqlite,
     "create trigger t after insert on a begin update b set c = case when 1 then 2 end; "
     "delete from d; end; x",
     {"create trigger t after insert on a begin update b set c = case when 1 then 2 end; "
      "delete from d; end",
      "x"}},
    {"TemporaryTrigger",
     Dialects::kSqlite,
     "CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; /* c */ END /* d */; x",
     {"CREATE TEMP TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; /* c */ END", "x"}},
    {"TriggerIfNotExists",
     Dialects::kSqlite,
     "create trigger if not exists \"end\" after insert on a begin select 1; end; x",
     {"create trigger if not exists \"end\" after insert on a begin select 1; end", "x"}},
    {"DropTrigger", Dialects::kSqlite, "drop trigger t; x", {"drop trigger t", "x"}},
    {"PostgresTrigger",
     Dialects::kPostgres,
     "create trigger t after insert on a for each row execute function f(); x",
     {"create trigger t after insert on a for each row execute function f()", "x"}},
    {"AtomicBody",
     Dialects::kPostgres,
     "create function f() returns int language sql begin atomic select case when true then 1 "
     "end; select 2; end; x",
     {"create function f() returns int language sql begin atomic select case when true then 1 "
      "end; select 2; end",
      "x"}},
    {"AtomicProcedure",
     Dialects::kPostgres,
     "CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC INSERT INTO a VALUES (1); END; x",
     {"CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC INSERT INTO a VALUES (1); END", "x"}},
    {"TriggerAtTheEnd",
     Dialects::kSqlite,
     "x; create trigger t after insert on a begin select 1; end -- c",
     {"x", "create trigger t after insert on a begin select 1; end"}},
    {"TriggerWithAColumnCalledEnd",
     Dialects::kSqlite,
     "create trigger t after insert on a begin select \"end\"; select [end]; end; x",
     {"create trigger t after insert on a begin select \"end\"; select [end]; end", "x"}},
    {"ExplainOfATrigger",
     Dialects::kSqlite,
     "explain create trigger t after insert on a begin select 1; end; x",
     {"explain create trigger t after insert on a begin select 1; end", "x"}},
    {"AtomicBodyAtTheEnd",
     Dialects::kPostgres,
     "create function f() returns int begin atomic select 1; select 2; end",
     {"create function f() returns int begin atomic select 1; select 2; end"}},
    {"AtomicBodyWithColumnsCalledEndAndCase",
     Dialects::kPostgres,
     "create function f() returns int begin atomic select t.end from t; select t.case from t; "
     "select 1 as end; end; x; y",
     {"create function f() returns int begin atomic select t.end from t; select t.case from t; "
      "select 1 as end; end",
      "x", "y"}},
    {"AtomicBodyThatTheParserCannotRead",
     Dialects::kPostgres,
     "create function f() returns int new syntax begin atomic select 1; end; x; select 'a;b'",
     {"create function f() returns int new syntax begin atomic select 1; end", "x",
      "select 'a;b'"}},
    {"ReturnAloneEndsAComment", Dialects::kPostgres, "-- c\rselect 1;\r-- d\rx", {"select 1", "x"}},
    {"ReturnAloneEndsNoComment", Dialects::kSqlite, "-- c\rselect 1;\r-- d\nx", {"x"}},
    {"BytesOfLiterals",
     Dialects::kBoth,
     "select 'a\r\nb\rc\n';\r\nx",
     {"select 'a\r\nb\rc\n'", "x"}},
    {"TransactionIsNoBody",
     Dialects::kBoth,
     "begin; select 1; end; x",
     {"begin", "select 1", "end", "x"}},
};

INSTANTIATE_TEST_SUITE_P(Cases, Split, ::testing::ValuesIn(kCases),
                         [](const auto& tested) { return tested.param.name; });

TEST(SplitErrors, NameTheLineWhereItBegins) {
  EXPECT_THAT(Texts("select 1;\nselect 'a;\n", SqliteSyntax()),
              ElementsAre(HasSubstr("the string that begins in line 2 is not terminated")));
  EXPECT_THAT(Texts("\n\n/* a", PostgresSyntax()),
              ElementsAre(HasSubstr("the comment that begins in line 3")));
  EXPECT_THAT(Texts("do $x$ begin $$;", PostgresSyntax()),
              ElementsAre(HasSubstr("the dollar-quoted string that begins in line 1")));
  EXPECT_THAT(Texts("x;\ncreate trigger t after insert on a begin select 1;", SqliteSyntax()),
              ElementsAre(HasSubstr("the body of the statement that begins in line 2")));
}

TEST(SplitLines, AreThoseOfTheScript) {
  const auto split = SplitSql("-- a\nselect 1;\n\n/* b\n */ select\n2; select 3", SqliteSyntax());
  ASSERT_TRUE(split.ok());
  ASSERT_EQ(split->size(), 3u);
  EXPECT_EQ((*split)[0].line, 2);
  EXPECT_EQ((*split)[1].line, 5);
  EXPECT_EQ((*split)[2].line, 6);
  const auto returns = SplitSql("a;\r\nb;\rc;\n\r\nd", SqliteSyntax());
  ASSERT_TRUE(returns.ok());
  EXPECT_EQ((*returns)[1].line, 2);
  EXPECT_EQ((*returns)[2].line, 3);
  EXPECT_EQ((*returns)[3].line, 5);
  EXPECT_EQ((*returns)[3].offset, 12u);
}

TEST(SplitWords, LeaveOutStringsAndQuotedNames) {
  const auto split =
      SplitSql("Create /* c */ index \"Concurrently\" on t(a) 'x'", PostgresSyntax());
  ASSERT_TRUE(split.ok());
  const SqlStatement& statement = split->front();
  EXPECT_EQ(statement.words, "CREATE INDEX ON T A");
  EXPECT_TRUE(statement.StartsWith({"CREATE", "INDEX"}));
  EXPECT_FALSE(statement.StartsWith({"CREATE", "IND"}));
  EXPECT_FALSE(statement.StartsWith({"CREATE", "INDEX", "ON", "T", "A", "B"}));
  EXPECT_TRUE(statement.HasWord("CREATE"));
  EXPECT_TRUE(statement.HasWord("A"));
  EXPECT_FALSE(statement.HasWord("REATE"));
  EXPECT_FALSE(statement.HasWord("INDE"));
  EXPECT_EQ(statement.Word(0), "CREATE");
  EXPECT_EQ(statement.Word(4), "A");
  EXPECT_EQ(statement.Word(5), "");
  EXPECT_EQ(SqlStatement{}.Word(0), "");
}

TEST(SplitWords, AreOfABoundedNumber) {
  std::string script;
  for (size_t i = 0; i < 2 * SqlStatement::kWords; ++i) script += "a ";
  const auto split = SplitSql(script, PostgresSyntax());
  ASSERT_TRUE(split.ok());
  EXPECT_EQ(split->front().words.size(), 2 * SqlStatement::kWords - 1);
}

TEST(SplitLimits, StatementsWithoutNumberAreRefused) {
  std::string script;
  for (size_t i = 0; i <= kMostStatements; ++i) script += "a;";
  const auto split = SplitSql(script, SqliteSyntax());
  ASSERT_FALSE(split.ok());
  EXPECT_EQ(driver::GetErrorInfo(split.status()).reason, driver::Reason::kLimitExceeded);
  EXPECT_THAT(std::string(split.status().message()), HasSubstr("more than 1048576 statements"));
}

TEST(SplitLimits, RoutinesThatTheParserDoesNotKnowTakeNoLonger) {
  std::string script;
  for (int i = 0; i < 20'000; ++i) script += "create function f() begin atomic nonsense; end; ";
  const auto split = SplitSql(script, PostgresSyntax());
  ASSERT_TRUE(split.ok()) << split.status();
  EXPECT_EQ(split->size(), 20'000u);
}

// The time is in proportion to the length: with its square these would take hours.
TEST(SplitLimits, BodiesWithoutEndTakeNoLonger) {
  std::string parts;
  for (int i = 0; i < 200'000; ++i) parts += "select case 1 when 1 then 2 end;";
  for (const auto& [head, syntax] :
       {std::pair("create trigger t after insert on a begin ", SqliteSyntax()),
        std::pair("create function f() returns int begin atomic ", PostgresSyntax())}) {
    const auto split = SplitSql(head + parts + "end; x", syntax);
    ASSERT_TRUE(split.ok()) << split.status();
    EXPECT_EQ(split->back().text, "x");
    EXPECT_FALSE(SplitSql(head + parts, syntax).ok());
  }
}

}  // namespace
}  // namespace penstock::migrations
