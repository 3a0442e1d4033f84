// Values and types of PostgreSQL, and of CockroachDB, which speaks its protocol, through the wire.
#include <pqxx/pqxx>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "penstock/value.h"
#include "tests/conformance/backend.h"

namespace penstock::testing {
namespace {

v1::Value List(const Values& elements) {
  v1::Value list;
  for (const v1::Value& element : elements) *list.mutable_array()->add_values() = element;
  return list;
}

class PostgresValues : public Conformance {
 protected:
  // By somebody else, on a connection beside the daemon's.
  void Elsewhere(const std::string& sql) {
    pqxx::connection connection(database().driver.connection_string);
    pqxx::nontransaction(connection).exec(sql);
  }
  // The column's type, and the rows.
  std::string Typed(const std::string& sql) {
    const Outcome outcome = wire().Query(sql);
    EXPECT_TRUE(outcome.status.ok()) << sql << outcome.status.error_message();
    if (outcome.columns.empty()) return "";
    return outcome.columns[0].native_type() + " " + outcome.text();
  }
};
INSTANTIATE_TEST_SUITE_P(Drivers, PostgresValues,
                         ::testing::Values(&PostgresBackend(), &CockroachDbBackend()),
                         [](const ::testing::TestParamInfo<const Backend*>& tested) {
                           return tested.param->name();
                         });

const Values kEnds = {Timestamp(-62'135'596'800, 0), Timestamp(253'402'300'799, 999'999'000)};

TEST_P(PostgresValues, DoNotDependOnTheZoneOfTheDatabase) {
  Elsewhere(
      fmt::format("ALTER DATABASE \"{}\" SET TimeZone = 'Asia/Tokyo'", database().driver.database));
  for (const char* zone : {"utc", "server"}) {
    database().driver.options["time_zone"] = zone;
    EXPECT_EQ(Ask("SELECT $1::timestamptz, $2::timestamptz", kEnds),
              ToText(kEnds[0]) + "|" + ToText(kEnds[1]));
  }
  EXPECT_EQ(Ask("SHOW TimeZone"), "'UTC'");
  Do("CREATE TABLE ev (at timestamp, zoned timestamptz)");
  Do("INSERT INTO ev SELECT unnest($1), unnest($1)", {List(kEnds)});
  EXPECT_EQ(Ask("SELECT at FROM ev ORDER BY at"), ToText(kEnds[0]) + "; " + ToText(kEnds[1]));
  EXPECT_EQ(Ask("SELECT count(*) FROM ev WHERE at AT TIME ZONE 'UTC' = zoned"), "2");
  Do("ALTER TABLE ev ALTER at TYPE timestamptz");
  EXPECT_EQ(Ask("SELECT at FROM ev ORDER BY at"), ToText(kEnds[0]) + "; " + ToText(kEnds[1]));
}

TEST_P(PostgresValues, AreReadableWhateverATransactionSets) {
  const std::string bytes("\\x\0\xff", 4);
  wire();
  TransactionStream tx(wire());
  tx.Begin();
  EXPECT_EQ(tx.Query("SELECT set_config('bytea_output', 'escape', true)").text(), "'escape'");
  for (const auto& [sql, value] : {std::pair{"SELECT ''::bytea", Blob("")},
                                   {"SELECT '\\x5c7800ff'::bytea", Blob(bytes)},
                                   {"SELECT '\\x5c'::bytea", Blob("\\")}}) {
    const Outcome outcome = tx.Query(sql);
    EXPECT_EQ(outcome.text(), ToText(value)) << outcome.status.error_message();
  }
  tx.Query("SELECT set_config('IntervalStyle', 'postgres', true)");
  EXPECT_EQ(tx.Query("SELECT interval '1 day 02:00:00'").text(), "'1 day 02:00:00'");
  tx.Query("SELECT set_config('DateStyle', 'German', true)");
  EXPECT_EQ(tx.Query("SELECT date '2024-02-29'").text(), "'29.02.2024'");
  tx.Query(
      "SELECT set_config('DateStyle', 'ISO', true), set_config('TimeZone', 'Asia/Tokyo', true)");
  EXPECT_EQ(tx.Query("SELECT $1::timestamptz", {kEnds[0]}).text(), ToText(kEnds[0]));
  tx.Finish();
  EXPECT_EQ(Ask("SELECT interval '1 day 02:00:00'"), ToText(Interval("P1DT2H")));
}

TEST_P(PostgresValues, ListsHaveTheirElements) {
  Do("CREATE DOMAIN intarr AS integer[]");
  EXPECT_EQ(Typed("SELECT ARRAY['{1,2}'::intarr]"),
            "intarr[] " + ToText(List({List({Int(1), Int(2)})})));
  EXPECT_EQ(Typed("SELECT '{(1,1),(0,0);(2,2),(0,0)}'::box[]"),
            "box[] " + ToText(List({Text("(1,1),(0,0)"), Text("(2,2),(0,0)")})));
  EXPECT_EQ(Typed("SELECT '1 2'::int2vector"), "int2vector '1 2'");
  const v1::Value dates = List({Text("infinity"), Date("2024-02-29"), Text("0044-03-15 BC")});
  EXPECT_EQ(Ask("SELECT '{infinity,2024-02-29,0044-03-15 BC}'::date[]"), ToText(dates));
  EXPECT_EQ(Ask("SELECT $1::date[]", {dates}), ToText(dates));
  EXPECT_EQ(Ask("SELECT unnest($1) > date '2024-01-01'", {dates}), "true; true; false");
  for (const char* table : {"pg_index", "pg_proc", "pg_trigger", "pg_type"}) {
    const Outcome outcome = wire().Query(fmt::format("SELECT * FROM {}", table));
    EXPECT_TRUE(outcome.status.ok()) << table << outcome.status.error_message();
  }
}

TEST_P(PostgresValues, TypesAreThoseThatThereAreNow) {
  Do("CREATE TABLE seen (i integer)");
  TransactionStream old(wire());
  TransactionStream::Request begin;
  begin.mutable_begin()->set_isolation(v1::ISOLATION_LEVEL_SERIALIZABLE);
  old.Step(begin);
  EXPECT_EQ(old.Query("SELECT count(*) FROM seen").text(), "0");
  Elsewhere("CREATE DOMAIN late AS integer");
  EXPECT_EQ(old.Query("SELECT ARRAY[7::late]").columns.at(0).native_type(), "late[]");
  EXPECT_EQ(Typed("SELECT ARRAY[7::late]"), "late[] " + ToText(List({Int(7)})));
  old.Commit();
  Elsewhere("ALTER DOMAIN late RENAME TO early");
  EXPECT_EQ(Typed("SELECT ARRAY[8::early]"), "early[] " + ToText(List({Int(8)})));
}

TEST_P(PostgresValues, TheKindDecidesWhereNothingElseDoes) {
  EXPECT_EQ(Ask("SELECT to_jsonb($1)", {Int(1)}), ToText(Json("1")));
  EXPECT_EQ(Ask("SELECT array_length($1, 1)", {List({Int(1), Int(2)})}), "2");
  EXPECT_EQ(Ask("SELECT jsonb_agg($1)", {Text("a")}), ToText(Json("[\"a\"]")));
  EXPECT_EQ(Ask("SELECT jsonb '[1, 2]' -> $1", {Int(1)}), ToText(Json("2")));
  EXPECT_EQ(Ask("SELECT substring('abcdef'::text from $1 for $2)", {Int(2), Int(3)}), "'bcd'");
  EXPECT_EQ(Ask("SELECT current_date + $1 - current_date", {Int(1)}), "1");
  EXPECT_EQ(Ask("SELECT sum(x) FROM (VALUES ($1), ($2)) v(x)", {Int(1), Int(2)}),
            ToText(Decimal("3")));
}

TEST_P(PostgresValues, ATimestampThatIsTooFineHasAHint) {
  const Outcome outcome = wire().Query("SELECT $1::timestamptz", {Timestamp(0, 1)});
  EXPECT_EQ(outcome.detail.reason(), v1::REASON_DATA_EXCEPTION);
  EXPECT_NE(outcome.detail.hint().find("Timestamp::Micros"), std::string::npos)
      << outcome.detail.hint();
}

}  // namespace
}  // namespace penstock::testing
