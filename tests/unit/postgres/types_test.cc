// Every type that the server has, and some of the user's, with its array: what psql shows comes
// out, goes in again, and is the same.
#include <pqxx/pqxx>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "fmt/ranges.h"
#include "tests/unit/postgres/fixture.h"
#include "tests/unit/postgres/types_fixture.h"

namespace penstock::postgres {
namespace {

class TypesTest : public PostgresDriverTest {
 protected:
  TypesTest()
      : direct_(config_.connection_string +
                " options='-c IntervalStyle=iso_8601 -c TimeZone=UTC'") {
    for (const char* sql : {
             "CREATE TYPE mood AS ENUM ('sad', 'it''s \"ok\", {fine}')",
             "CREATE DOMAIN intarr AS integer[]",
             "CREATE DOMAIN moodarr AS mood[]",
             "CREATE DOMAIN arrarr AS intarr[]",
             "CREATE DOMAIN boxdom AS box",
             "CREATE DOMAIN daydom AS timestamptz",
             "CREATE DOMAIN bytes AS bytea",
             "CREATE TYPE point3 AS (x integer, y text, z numeric[], m mood, b box[])",
             "CREATE TYPE floatrange AS RANGE (SUBTYPE = float8)",
             "CREATE TYPE colon",
             "CREATE FUNCTION colon_in(cstring) RETURNS colon AS 'point_in' LANGUAGE internal "
             "STRICT",
             "CREATE FUNCTION colon_out(colon) RETURNS cstring AS 'point_out' LANGUAGE internal "
             "STRICT",
             "CREATE TYPE colon (INPUT = colon_in, OUTPUT = colon_out, LIKE = point, "
             "DELIMITER = ':')",
         }) {
      Ask(sql);
    }
  }

  pqxx::result Psql(const std::string& sql) {
    pqxx::nontransaction work(direct_);
    return work.exec(sql);
  }
  std::string Quoted(const std::string& text) { return "'" + direct_.esc(text) + "'"; }

  // Runs `sql`; false: it failed, which is a failure of the test.
  bool Read(const std::string& sql, std::vector<Value> args, OneValue* out) {
    Call call(sql, std::move(args));
    call.run.writer = out;
    driver::StatementRun* const run = &call.run;
    connection_->RunBatch({&run, 1});
    EXPECT_TRUE(call.run.status.ok()) << sql << ": " << call.run.status;
    return call.run.status.ok();
  }

  // `expression` of the type named `type` comes out and goes in again.
  void Check(const std::string& type, const std::string& expression) {
    const std::string shown =
        Psql(fmt::format("SELECT format('%s', {})", expression))[0][0].c_str();
    OneValue out;
    if (!Read(fmt::format("SELECT {}", expression), {}, &out)) return;
    const Value& value = out.value;
    // What is text of any kind, is the text.
    if (value.text.data() != nullptr && value.kind != Kind::kBlob) {
      EXPECT_EQ(value.text, shown) << type;
    }
    if (value.kind == Kind::kInteger) {
      EXPECT_EQ(fmt::to_string(value.integer), shown) << type;
    }
    if (value.kind == Kind::kBoolean) {
      EXPECT_EQ(value.integer != 0 ? "t" : "f", shown) << type;
    }
    OneValue again;
    if (!Read(fmt::format("SELECT format('%s', $1::{})", type), {value}, &again)) return;
    EXPECT_EQ(again.value.text, shown) << type << " " << expression;
    ++checked_;
  }

  // Expressions of values of the type, which is no array; none: it has none that are sent.
  Texts Expressions(const pqxx::row& row, const std::string& type) {
    Texts values;
    switch (row["typtype"].c_str()[0]) {
      case 'r': values = {"empty", "(,)"}; break;
      case 'm': values = {"{}", "{(,)}"}; break;
      case 'c': values = {"(" + std::string(row["others"].as<size_t>(), ',') + ")"}; break;
      case 'd': return {};
      default: {
        const auto found = Samples().find(row["typname"].c_str());
        if (found != Samples().end()) values = found->second;
      }
    }
    for (std::string& value : values) value = Quoted(value) + "::" + type;
    return values;
  }

  // The server itself says that no text can be a value of the type.
  bool TakesNoValue(const std::string& type) {
    try {
      Psql(fmt::format("SELECT 'x'::{}", type));
    } catch (const pqxx::sql_error& error) {
      return error.sqlstate() == "0A000";
    }
    return false;
  }

  void CheckWithArrays(const std::string& type, const Texts& values) {
    const std::string array = type + "[]";
    for (const std::string& value : values) Check(type, value);
    const std::string list = fmt::format("{}", fmt::join(values, ", "));
    Check(array, fmt::format("'{{}}'::{}", array));
    Check(array, fmt::format("ARRAY[{}, NULL]::{}", list, array));
    Check(array, fmt::format("ARRAY[ARRAY[{0}], ARRAY[{0}]]::{1}", list, array));
    Check(array, fmt::format("array_fill({}, ARRAY[2], ARRAY[-3])", values.front()));
  }

  pqxx::connection direct_;
  int checked_ = 0;
};

TEST_F(TypesTest, EachComesOutAsPsqlShowsItAndGoesInAgain) {
  const pqxx::result types = Psql(
      "SELECT t.typname, t.typtype, format('%I.%I', n.nspname, t.typname) AS type, "
      "greatest((SELECT count(*) FROM pg_attribute WHERE attrelid = t.typrelid AND attnum > 0 AND "
      "NOT attisdropped) - 1, 0) AS others FROM pg_type t JOIN pg_namespace n ON n.oid = "
      "t.typnamespace WHERE t.typtype <> 'p' AND t.typtype <> 'd' AND t.typarray <> 0 ORDER BY 1");
  ASSERT_GT(types.size(), 150);
  for (const pqxx::row& row : types) {
    const std::string type = row["type"].c_str();
    const Texts values = Expressions(row, type);
    if (values.empty()) {
      EXPECT_TRUE(TakesNoValue(type)) << type << " has no samples: add some";
      continue;
    }
    CheckWithArrays(type, values);
  }
  EXPECT_GT(checked_, 1000);
}

TEST_F(TypesTest, DomainsAreWhatTheyAreMadeOf) {
  CheckWithArrays("boxdom", {"'(1,1),(0,0)'::boxdom"});
  CheckWithArrays("daydom", {"'2024-02-29 12:00+00'::daydom", "'infinity'::daydom"});
  CheckWithArrays("bytes", {"'\\x00ff'::bytes"});
  CheckWithArrays("information_schema.yes_or_no", {"'YES'::information_schema.yes_or_no"});
  for (const auto& [type, value] : {std::pair{"intarr", "{1,2}"}, {"moodarr", "{sad,NULL}"}}) {
    Check(type, fmt::format("'{}'::{}", value, type));
    Check(type, fmt::format("'[2:3]={}'::{}", value, type));
    Check(fmt::format("{}[]", type),
          fmt::format("ARRAY['{0}'::{1}, NULL::{1}, '{{}}'::{1}]", value, type));
  }
  Check("arrarr", "ARRAY['{1,2}'::intarr, '{3}'::intarr]::arrarr");
  Check("arrarr[]", "ARRAY[ARRAY['{1,2}'::intarr, '{3}'::intarr]::arrarr, NULL::arrarr]");
}

TEST_F(TypesTest, RangesOfEverything) {
  const std::pair<const char*, const char*> ranges[] = {
      {"int4", "[1,5)"},
      {"int8", "[-9223372036854775808,5)"},
      {"num", "(1.50,)"},
      {"date", "[2024-01-01,2024-02-01)"},
      {"ts", "[\"2024-01-01 00:00:00\",infinity)"},
      {"tstz", "(\"0044-03-15 00:00:00+00 BC\",\"2024-01-01 00:00:00+00\"]"},
      {"float", "[0.1,Infinity]"}};
  for (const auto& [name, value] : ranges) {
    CheckWithArrays(fmt::format("{}range", name), {fmt::format("'{}'::{}range", value, name)});
    CheckWithArrays(fmt::format("{}multirange", name),
                    {fmt::format("'{{{}}}'::{}multirange", value, name)});
  }
}

TEST_F(TypesTest, CompositesWithAllSortsOfFields) {
  const std::string value =
      "ROW(1, 'a,b \"c\" (d) \\ e', '{1.50,NULL}', 'it''s \"ok\", {fine}', "
      "'{(1,1),(0,0);(2,2),(0,0)}')::point3";
  CheckWithArrays("point3", {value, "ROW(NULL, '', NULL, NULL, NULL)::point3"});
}

TEST_F(TypesTest, ListsHaveTheirElements) {
  EXPECT_EQ(Ask("SELECT ARRAY['{1,2}'::intarr, '{3}'::intarr], '{(1,1),(0,0);(2,2),(0,0)}'::box[], "
                "ARRAY['{{1,2},{3,4}}'::intarr]"),
            "array [[1, 2], [3]]|array ['(1,1),(0,0)', '(2,2),(0,0)']|array [[[1, 2], [3, 4]]]");
  EXPECT_EQ(Ask("SELECT '{(1,2):(3,4)}'::colon[]"), "array ['(1,2)', '(3,4)']");
  EXPECT_EQ(Ask("SELECT '1 2'::int2vector, ARRAY['1 2'::oidvector]"), "text 1 2|array ['1 2']");
}

// What was read is sent back, beside ordinary values, also where nothing tells the type.
TEST_F(TypesTest, WhatHasNoPlaceInAKindGoesBackInItsList) {
  for (const auto& [type, value] :
       {std::pair{"date", "{infinity,2024-02-29,NULL,\"0044-03-15 BC\"}"},
        {"timestamptz", "{\"2024-02-29 00:00:00+00\",-infinity,\"12345-01-01 00:00:00+00\"}"},
        {"timestamptz", "{-infinity,\"2024-02-29 00:00:00+00\"}"}}) {
    OneValue out;
    ASSERT_TRUE(Read(fmt::format("SELECT '{}'::{}[]", value, type), {}, &out));
    ASSERT_EQ(out.value.kind, Kind::kArray);
    EXPECT_EQ(Ask("SELECT $1::text, pg_typeof($1)::text", {out.value}).substr(0, 5), "text ");
    EXPECT_EQ(Ask(fmt::format("SELECT $1 = '{}'::{}[], array_length($1, 1) > 1", value, type),
                  {out.value}),
              "boolean true|boolean true");
  }
}

TEST_F(TypesTest, CataloguesCanBeRead) {
  const pqxx::result tables = Psql(
      "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'v') AND relnamespace = "
      "'pg_catalog'::regnamespace ORDER BY 1");
  ASSERT_GT(tables.size(), 100);
  for (const pqxx::row& row : tables) {
    const auto call = Try(fmt::format("SELECT * FROM {}", row[0].c_str()));
    EXPECT_TRUE(call->run.status.ok()) << row[0].c_str() << ": " << call->run.status;
    call->run.cursor.reset();
  }
}

}  // namespace
}  // namespace penstock::postgres
