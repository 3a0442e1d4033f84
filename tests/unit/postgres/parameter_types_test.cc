// Parameters that the server cannot tell: the kind of the value decides.
#include "drivers/postgres/parameter_types.h"

#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "tests/unit/postgres/fixture.h"

namespace penstock::postgres {
namespace {

Value List(const std::vector<Value>& elements) {
  return {.kind = Kind::kArray, .elements = elements};
}

class ParameterTypesTest : public PostgresDriverTest {
 protected:
  ParameterTypesTest() {
    Ask("CREATE TABLE j (x jsonb, t text)");
    Ask("INSERT INTO j VALUES ('[10, {\"a\": 20}]', 'abcdef')");
  }
  const std::vector<Value> numbers_ = {Value::Integer(4), Value::Integer(5)};
};

TEST_F(ParameterTypesTest, TheKindDecides) {
  const Value one = Value::Integer(1);
  const Value two = Value::Integer(2);
  const Value large = Value::Integer(3'000'000'000);
  const struct {
    const char* sql;
    std::vector<Value> args;
    const char* row;
  } cases[] = {
      {"SELECT to_jsonb($1)", {one}, "json 1"},
      {"SELECT to_jsonb($1)", {Value::Text("a")}, "json \"a\""},
      {"SELECT to_jsonb($1)", {Value::Boolean(true)}, "json true"},
      {"SELECT to_jsonb($1)", {Value::Null()}, "null"},
      {"SELECT jsonb_agg($1)", {two}, "json [2]"},
      {"SELECT json_agg($1)", {Value::Of(Kind::kDecimal, "1.50")}, "json [1.50]"},
      {"SELECT array_length($1, 1)", {List(numbers_)}, "integer 2"},
      {"SELECT array_length($1, $2)", {List(numbers_), one}, "integer 2"},
      {"SELECT x -> $1 FROM j", {one}, "json {\"a\": 20}"},
      {"SELECT x -> 1 -> $1 FROM j", {Value::Text("a")}, "json 20"},
      {"SELECT x ->> $1 FROM j", {Value::Integer(0)}, "text 10"},
      {"SELECT substring(t from $1 for $2) FROM j", {two, two}, "text bc"},
      {"SELECT overlay(t placing $1 from $2) FROM j", {Value::Text("Z"), one}, "text Zbcdef"},
      {"SELECT date '2024-02-28' + $1", {one}, "date 2024-02-29"},
      {"SELECT x FROM (VALUES ($1), ($2)) v(x) WHERE x = 2", {one, two}, "integer 2"},
      {"SELECT sum(x) FROM (VALUES ($1), ($2)) v(x)", {one, large}, "decimal 3000000001"},
      {"SELECT sum($1)", {Value::Real(0.5)}, "real 0.5"},
      {"SELECT chr($1), ascii($2)", {Value::Integer(65), Value::Text("B")}, "text A|integer 66"},
      {"SELECT array[$1] || 3", {one}, "array [1, 3]"},
      {"SELECT greatest($1, $2) + 1", {one, large}, "integer 3000000001"},
      {"SELECT unnest($1)", {List(numbers_)}, "integer 4"},
      {"SELECT t FROM j WHERE length(t) = $1", {Value::Integer(6)}, "text abcdef"},
      {"SELECT jsonb_build_object('a', $1)", {one}, "json {\"a\": 1}"},
      {"SELECT $1 + $2", {one, large}, "integer 3000000001"},
      {"SELECT $1 || jsonb '[2]'", {Value::Of(Kind::kJson, "[1]")}, "json [1, 2]"},
      {"SELECT extract(year from $1)", {Value::Of(Kind::kDate, "2024-02-29")}, "decimal 2024"},
  };
  for (const bool in_transaction : {false, true}) {
    ASSERT_TRUE(!in_transaction || connection_->Begin({}).ok());
    // Twice: the second time it is known.
    for (const auto& [sql, args, row] : cases) {
      for (int run = 0; run < 2; ++run) {
        const auto call = in_transaction ? TryInTransaction(sql, args) : Try(sql, args);
        EXPECT_TRUE(call->run.status.ok()) << sql << call->run.status;
        EXPECT_EQ(call->row(), row) << sql;
      }
    }
    EXPECT_TRUE(!in_transaction || connection_->Rollback().ok());
    OpenDriver();
  }
}

TEST_F(ParameterTypesTest, OneTextTakesOneKindAfterAnother) {
  EXPECT_EQ(Ask("SELECT x -> $1 FROM j", {Value::Integer(0)}), "json 10");
  EXPECT_EQ(Ask("SELECT x -> $1 FROM j", {Value::Text("a")}), "null");
  EXPECT_EQ(Ask("SELECT to_jsonb($1)", {Value::Text("a")}), "json \"a\"");
  EXPECT_EQ(Ask("SELECT to_jsonb($1)", {Value::Integer(3'000'000'000)}), "json 3000000000");
  EXPECT_EQ(Ask("SELECT to_jsonb($1)", {Value::Real(0.5)}), "json 0.5");
}

TEST_F(ParameterTypesTest, WhatNoTypeHelpsIsToldAsTheServerHasIt) {
  const auto none = Try("SELECT nosuch($1)", {Value::Integer(1)});
  EXPECT_EQ(driver::GetErrorInfo(none->run.status).sqlstate, "42883");
  EXPECT_NE(none->message().find("nosuch(unknown)"), std::string::npos) << none->message();
  // 3,000,000,000 is no integer, and nothing is cut off it.
  const auto large = Try("SELECT date '2024-02-29' + $1", {Value::Integer(3'000'000'000)});
  EXPECT_EQ(driver::GetErrorInfo(large->run.status).sqlstate, "42883") << large->run.status;
  const std::vector<Value> mixed = {Value::Integer(1), Value::Boolean(true)};
  EXPECT_EQ(Try("SELECT unnest($1)", {List(mixed)})->reason(), Reason::kInvalidParameter);
  // A failure aborts a transaction, once it is the last word.
  ASSERT_TRUE(connection_->Begin({}).ok());
  EXPECT_FALSE(TryInTransaction("SELECT nosuch($1)", {Value::Integer(1)})->run.status.ok());
  EXPECT_TRUE(connection_->transaction_aborted());
  ASSERT_TRUE(connection_->Rollback().ok());
}

TEST_F(ParameterTypesTest, RowsAreKnownByAllOfThem) {
  using Rows = std::vector<std::vector<Value>>;
  const struct {
    const char* sql;
    Rows rows;
    const char* stored;
  } cases[] = {
      {"INSERT INTO j(x) SELECT to_jsonb($1)", {{Value::Null()}, {Value::Integer(1)}}, "[null, 1]"},
      {"INSERT INTO j(x) SELECT to_jsonb($1)", {{Value::Text("1")}, {Value::Integer(1)}}, "[1, 1]"},
      {"INSERT INTO j(x) SELECT to_jsonb($1)",
       {{Value::Integer(1)}, {Value::Real(0.5)}},
       "[1, 0.5]"},
      {"INSERT INTO j(x) SELECT jsonb '[7, 8]' -> $1",
       {{Value::Null()}, {Value::Integer(1)}},
       "[null, 8]"},
      {"INSERT INTO j(x) SELECT to_jsonb(y + 1) FROM (VALUES ($1)) v(y)",
       {{Value::Integer(1)}, {Value::Integer(3'000'000'000)}},
       "[2, 3000000001]"},
  };
  for (const auto& [sql, rows, stored] : cases) {
    Ask("DELETE FROM j");
    Call call(sql);
    call.run.rows = rows;
    call.run.writer = nullptr;
    driver::StatementRun* const run = &call.run;
    connection_->RunBatch({&run, 1});
    EXPECT_TRUE(call.run.status.ok()) << sql << call.run.status;
    EXPECT_EQ(Ask("SELECT jsonb_agg(x ORDER BY ctid) FROM j"), fmt::format("json {}", stored))
        << sql;
  }
}

TEST(RepresentativesTest, NoNullNoTextAndTheWidest) {
  const std::vector<std::vector<Value>> rows = {
      {Value::Null(), Value::Text("a"), Value::Integer(1), Value::Integer(1)},
      {Value::Text("b"), Value::Boolean(true), Value::Integer(1LL << 40),
       Value::Of(Kind::kDecimal, "1.5")},
      {Value::Null(), Value::Null(), Value::Integer(2), Value::Integer(2)}};
  const std::vector<Value> best = Representatives(rows);
  EXPECT_EQ(best[0].kind, Kind::kText);
  EXPECT_EQ(best[1].kind, Kind::kBoolean);
  EXPECT_EQ(best[2].integer, 1LL << 40);
  EXPECT_EQ(best[3].kind, Kind::kDecimal);
}

}  // namespace
}  // namespace penstock::postgres
