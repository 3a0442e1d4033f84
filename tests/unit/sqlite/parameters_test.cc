// Parameters, and what a request's text may hold.
#include "drivers/sqlite_engine/statement.h"

#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

using namespace std::string_literals;

class ParametersTest : public SqliteTest {};

TEST_F(ParametersTest, NumbersDecideAndNotTheOrder) {
  EXPECT_EQ(Read("SELECT $2, $1, $2", {Value::Text("a"), Value::Text("b")}),
            "text b|text a|text b");
  EXPECT_EQ(Read("SELECT ?, ?", {Value::Integer(1), Value::Integer(2)}), "integer 1|integer 2");
  EXPECT_EQ(Read("SELECT ?2, ?1", {Value::Integer(1), Value::Integer(2)}), "integer 2|integer 1");
  EXPECT_EQ(Read("SELECT $10, $1, $2, $3, $4, $5, $6, $7, $8, $9",
                 std::vector<Value>(10, Value::Integer(3)))
                .substr(0, 9),
            "integer 3");
}

TEST_F(ParametersTest, NothingStaysBound) {
  EXPECT_EQ(Read("SELECT $1", {Value::Text("before")}), "text before");
  EXPECT_EQ(Read("SELECT $1", {Value::Null()}), "null");
}

TEST_F(ParametersTest, EveryMistakeIsNamed) {
  struct Case {
    const char* sql;
    size_t given;
    const char* message;
  };
  const Case cases[] = {
      {"SELECT $1, $2", 3, "the statement takes 2 parameters, 3 were given"},
      {"SELECT $1, $2", 1, "the statement takes 2 parameters, 1 was given"},
      {"SELECT $1", 0, "the statement takes 1 parameter, 0 were given"},
      {"SELECT 1", 1, "the statement takes 0 parameters, 1 was given"},
      {"SELECT $1, $3", 3, "the statement uses $3 but not $2"},
      {"SELECT $1, ?", 2, "mixed"},
      {"SELECT :a", 1, "':a' is not numbered"},
      {"SELECT @a", 1, "'@a' is not numbered"},
      {"SELECT $name", 1, "'$name' is not numbered"},
      {"SELECT $0", 1, "'$0' is not numbered"},
      {"SELECT $99999", 1, "'$99999' is not numbered"},
      {"SELECT $1::int", 1, "'$1::int' is not numbered"},
  };
  for (const Case& c : cases) {
    const auto call = Try(c.sql, std::vector<Value>(c.given, Value::Integer(1)));
    EXPECT_EQ(call->reason(), Reason::kInvalidParameter) << c.sql;
    EXPECT_NE(call->message().find(c.message), std::string::npos) << call->message();
  }
}

TEST_F(ParametersTest, EmptyStatements) {
  for (const char* sql : {"", " ", ";", " ; ; ", "-- nothing", "/* nothing", "/**/ ;\n--x"}) {
    EXPECT_EQ(Try(sql)->reason(), Reason::kEmptyStatement) << sql;
  }
}

TEST_F(ParametersTest, OneStatementARequest) {
  for (const char* sql : {"SELECT 1; SELECT 2", "SELECT 1;;x", "SELECT 1; /* */ SELECT"}) {
    EXPECT_EQ(Try(sql)->reason(), Reason::kMultipleStatements) << sql;
  }
  for (const char* sql :
       {"SELECT 1;", "SELECT 1 ; -- end", "SELECT 1;; ", ";SELECT 1", "SELECT 1; /* end"}) {
    EXPECT_EQ(Read(sql), "integer 1") << sql;
  }
}

TEST_F(ParametersTest, NulInTheTextIsSaidClearly) {
  const auto call = Try("SELECT 1\0; DROP TABLE t"s);
  EXPECT_EQ(call->reason(), Reason::kSyntax);
  EXPECT_NE(call->message().find("NUL"), std::string::npos);
}

TEST_F(ParametersTest, DescribeTellsWithoutRunning) {
  Exec("CREATE TABLE t(a INT)");
  auto info = writer_->Describe("INSERT INTO t VALUES ($1) RETURNING a", {}, nullptr);
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_EQ(info->parameter_count, 1);
  EXPECT_EQ(info->columns->size(), 1u);
  EXPECT_FALSE(info->read_only);
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 0");
  info = reader_->Describe("SELECT a, $2, $1 FROM t", {}, nullptr);
  ASSERT_TRUE(info.ok());
  EXPECT_EQ(info->parameter_count, 2);
  EXPECT_TRUE(info->read_only);
  info = writer_->Describe("DELETE FROM t", {}, nullptr);
  ASSERT_TRUE(info.ok());
  ASSERT_NE(info->columns, nullptr);
  EXPECT_TRUE(info->columns->empty());
  EXPECT_FALSE(reader_->Describe("SELECT nothing", {}, nullptr).ok());
}

TEST_F(ParametersTest, ManyDifferentTextsFitInASmallCache) {
  driver::Config config = ConfigFor("cache.db");
  config.statement_cache_size = 2;
  OpenConfig(config);
  for (int round = 0; round < 3; ++round) {
    for (const char* number : {"1", "2", "3"}) {
      EXPECT_EQ(Read("SELECT "s + number), "integer "s + number);
    }
  }
}

TEST_F(ParametersTest, TextsOfManyMegabytesAreNotKept) {
  const std::string long_text(3 << 20, ' ');
  for (const char* number : {"1", "2", "1"}) {
    EXPECT_EQ(Read("SELECT "s + number + long_text), "integer "s + number);
  }
}

}  // namespace
}  // namespace penstock::sqlite
