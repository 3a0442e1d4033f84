#include "drivers/sqlite_engine/values.h"

#include <limits>

#include "tests/unit/sqlite/fixture.h"

namespace penstock::sqlite {
namespace {

using namespace std::string_literals;
using sqlite_engine::KindOfDeclaredType;

TEST(DeclaredTypes, Kinds) {
  const std::pair<const char*, Kind> cases[] = {
      {"BOOLEAN", Kind::kBoolean},
      {"bool", Kind::kBoolean},
      {"INTEGER", Kind::kInteger},
      {"bigint", Kind::kInteger},
      {"INT8", Kind::kInteger},
      {"UNSIGNED BIG INT", Kind::kInteger},
      {"INTERVAL", Kind::kInterval},
      {"DECIMAL(10,2)", Kind::kDecimal},
      {"numeric", Kind::kDecimal},
      {"TIMESTAMP", Kind::kTimestamp},
      {"TIMESTAMPTZ", Kind::kTimestamp},
      {"datetime", Kind::kTimestamp},
      {"DATE", Kind::kDate},
      {"TIME", Kind::kTime},
      {"UUID", Kind::kUuid},
      {"guid", Kind::kUuid},
      {"JSON", Kind::kJson},
      {"jsonb", Kind::kJson},
      {"VARCHAR (20)", Kind::kText},
      {"NCHAR(5)", Kind::kText},
      {"CLOB", Kind::kText},
      {"text", Kind::kText},
      {"BLOB", Kind::kBlob},
      {"bytea", Kind::kBlob},
      {"REAL", Kind::kReal},
      {"DOUBLE PRECISION", Kind::kReal},
      {"float", Kind::kReal},
      {"", Kind::kUnspecified},
      {"thing", Kind::kUnspecified},
  };
  for (const auto& [declared, kind] : cases) EXPECT_EQ(KindOfDeclaredType(declared), kind);
}

class ValuesTest : public SqliteTest {
 protected:
  // What comes back of `value` from a column declared as `type`.
  std::string RoundTrip(const std::string& type, const Value& value) {
    Exec("DROP TABLE IF EXISTS t");
    Exec("CREATE TABLE t(v " + type + ")");
    const auto call = Try("INSERT INTO t VALUES ($1)", {value});
    if (!call->run.status.ok()) return "refused";
    return Read("SELECT v FROM t");
  }
};

TEST_F(ValuesTest, EveryKindComesBackAsItWas) {
  EXPECT_EQ(RoundTrip("BOOLEAN", Value::Boolean(true)), "boolean true");
  EXPECT_EQ(RoundTrip("BOOLEAN", Value::Boolean(false)), "boolean false");
  EXPECT_EQ(RoundTrip("INT", Value::Integer(std::numeric_limits<int64_t>::min())),
            "integer -9223372036854775808");
  EXPECT_EQ(RoundTrip("REAL", Value::Real(5)), "real 5");
  EXPECT_EQ(RoundTrip("REAL", Value::Real(0.1)), "real 0.1");
  EXPECT_EQ(RoundTrip("REAL", Value::Real(-std::numeric_limits<double>::infinity())), "real -inf");
  EXPECT_EQ(RoundTrip("TEXT", Value::Text("größe")), "text größe");
  EXPECT_EQ(RoundTrip("TEXT", Value::Text("")), "text");
  EXPECT_EQ(RoundTrip("TEXT", Value::Text("a\0b"s)), "text a\0b"s);
  EXPECT_EQ(RoundTrip("BLOB", Value::Blob("\xff\0\x01"s)), "blob \xff\0\x01"s);
  EXPECT_EQ(RoundTrip("BLOB", Value::Blob("")), "blob");
  EXPECT_EQ(RoundTrip("BLOB", Value::Blob({})), "blob");
  EXPECT_EQ(RoundTrip("DECIMAL(10,2)", Value::Of(Kind::kDecimal, "-12.5")), "decimal -12.5");
  EXPECT_EQ(RoundTrip("NUMERIC", Value::Of(Kind::kDecimal, "9223372036854775807")),
            "decimal 9223372036854775807");
  EXPECT_EQ(RoundTrip("NUMERIC", Value::Of(Kind::kDecimal, "0.123456789012345")),
            "decimal 0.123456789012345");
  EXPECT_EQ(RoundTrip("TIMESTAMP", Value::Timestamp(1'709'211'845, 1)),
            "timestamp 1709211845.000000001");
  EXPECT_EQ(RoundTrip("TIMESTAMP", Value::Timestamp(-62'135'596'800, 0)),
            "timestamp -62135596800.000000000");
  EXPECT_EQ(RoundTrip("DATE", Value::Of(Kind::kDate, "2024-02-29")), "date 2024-02-29");
  EXPECT_EQ(RoundTrip("TIME", Value::Of(Kind::kTime, "12:30:00.5")), "time 12:30:00.5");
  EXPECT_EQ(RoundTrip("INTERVAL", Value::Of(Kind::kInterval, "P1DT2H")), "interval P1DT2H");
  EXPECT_EQ(RoundTrip("UUID", Value::Of(Kind::kUuid, "00112233-4455-6677-8899-aabbccddeeff")),
            "uuid 00112233-4455-6677-8899-aabbccddeeff");
  EXPECT_EQ(RoundTrip("JSON", Value::Of(Kind::kJson, "{\"a\": [1]}")), "json {\"a\": [1]}");
  EXPECT_EQ(RoundTrip("JSON", Value::Of(Kind::kJson, "1.5")), "json 1.5");
  EXPECT_EQ(RoundTrip("JSON", Value::Of(Kind::kJson, "12")), "json 12");
  for (const char* type : {"BOOLEAN", "INT", "TEXT", "BLOB", "NUMERIC", "TIMESTAMP", "JSON"}) {
    EXPECT_EQ(RoundTrip(type, Value::Null()), "null") << type;
  }
}

TEST_F(ValuesTest, WhatWouldNotComeBackIsRefused) {
  const std::pair<const char*, Value> cases[] = {
      {"REAL", Value::Real(std::numeric_limits<double>::quiet_NaN())},
      {"TEXT", Value::Text("\xff")},
      {"NUMERIC", Value::Of(Kind::kDecimal, "0.1234567890123456")},
      {"NUMERIC", Value::Of(Kind::kDecimal, "1e400")},
      {"NUMERIC", Value::Of(Kind::kDecimal, "twelve")},
      {"TIMESTAMP", Value::Timestamp(253'402'300'800, 0)},
      {"DATE", Value::Of(Kind::kDate, "2023-02-29")},
      {"TIME", Value::Of(Kind::kTime, "25:00:00")},
      {"INTERVAL", Value::Of(Kind::kInterval, "a day")},
      {"UUID", Value::Of(Kind::kUuid, "0011")},
      {"JSON", Value::Of(Kind::kJson, "{")},
      {"JSON", Value::Of(Kind::kJson, " 12345678901234567890123 ")},
  };
  for (const auto& [type, value] : cases) {
    Exec("DROP TABLE IF EXISTS t");
    Exec("CREATE TABLE t(v "s + type + ")");
    const auto call = Try("INSERT INTO t VALUES ($1)", {value});
    EXPECT_EQ(call->reason(), Reason::kDataException) << type << " " << call->run.status;
    EXPECT_NE(call->message().find("parameter 1"), std::string::npos) << call->message();
  }
  const auto array = Try("INSERT INTO t VALUES ($1)", {Value{.kind = Kind::kArray}});
  EXPECT_EQ(array->reason(), Reason::kUnsupported);
  EXPECT_NE(array->message().find("arrays"), std::string::npos);
  EXPECT_EQ(Read("SELECT count(*) FROM t"), "integer 0");
}

TEST_F(ValuesTest, StorageThatDoesNotFitItsDeclarationKeepsItsOwnKind) {
  Exec("CREATE TABLE t(b BOOLEAN, d DECIMAL, ts TIMESTAMP, dt DATE, u UUID, j JSON, i INT)");
  Exec("INSERT INTO t VALUES (7, 'many', 'soon', 20240229, x'00', 'not json', 'one')");
  EXPECT_EQ(Read("SELECT b, d, ts, dt, u, j, i FROM t"),
            "integer 7|text many|text soon|integer 20240229|blob \0|text not json|"
            "text one"s);
}

// What docs/sqlite-values.md says to run once.
TEST_F(ValuesTest, TimestampsOfOtherToolsCanBeRewritten) {
  Exec("CREATE TABLE t(id INTEGER PRIMARY KEY, ts TIMESTAMP)");
  Exec(
      "INSERT INTO t(ts) VALUES ('2024-01-01T00:00:00Z'), ('2024-01-01 00:00:00+00:00'), "
      "('2024-01-01T02:00:00+02:00'), ('2023-12-31 19:00:00-05:00'), ('2024-01-01'), "
      "('2024-01-01 00:00:00.000000'), ('2024-01-01T00:00'), ('2024-01-01 00:00:00')");
  Exec(
      "INSERT INTO t(ts) VALUES ('2024-01-01 00:00:00.500000'), ('2024-01-01T00:00:00.5Z'), "
      "('2024-01-01T00:00:00.123456'), ('2024-01-01 00:00:00.123456789'), ('noon'), ('12:00')");
  EXPECT_EQ(Read("SELECT ts FROM t"), "text 2024-01-01T00:00:00Z");
  Exec(
      "UPDATE t SET ts = substr(ts, 1, 10) || ' ' || substr(ts, 12, 8) || "
      "CASE WHEN ts LIKE '%.000000' THEN '' WHEN ts LIKE '%000' THEN substr(ts, 20, 4) "
      "ELSE substr(ts, 20) END "
      "WHERE ts LIKE '____-__-__ __:__:__.______' OR ts LIKE '____-__-__T__:__:__.______'");
  Exec(
      "UPDATE t SET ts = replace(strftime('%Y-%m-%d %H:%M:%f', ts), '.000', '') "
      "WHERE ts LIKE '____-__-__%' AND julianday(ts) IS NOT NULL AND "
      "(ts GLOB '*[TZ+]*' OR ts GLOB '*:*-*' OR length(ts) < 19)");
  const auto count = [this](int32_t nanos) {
    return Read("SELECT count(*) FROM t WHERE ts = $1", {Value::Timestamp(1'704'067'200, nanos)});
  };
  EXPECT_EQ(count(0), "integer 8");
  EXPECT_EQ(count(500'000'000), "integer 2");
  EXPECT_EQ(count(123'456'000), "integer 1");
  EXPECT_EQ(count(123'456'789), "integer 1");
  EXPECT_EQ(Read("SELECT group_concat(ts) FROM t WHERE ts LIKE '%o%' OR ts LIKE '12%'"),
            "text noon,12:00");
}

TEST_F(ValuesTest, ColumnsTellTheDeclaredType) {
  Exec("CREATE TABLE t(id INTEGER PRIMARY KEY, name VARCHAR(20), at TIMESTAMP)");
  Call call("SELECT id, name AS n, at, 1 + 1 AS two FROM t");
  driver::StatementRun* const run = &call.run;
  reader_->RunBatch({&run, 1});
  ASSERT_TRUE(run->status.ok());
  const std::vector<driver::Column> expected = {{"id", Kind::kInteger, "INTEGER"},
                                                {"n", Kind::kText, "VARCHAR(20)"},
                                                {"at", Kind::kTimestamp, "TIMESTAMP"},
                                                {"two", Kind::kUnspecified, ""}};
  EXPECT_EQ(*call.output.columns, expected);
}

TEST_F(ValuesTest, ColumnsAreOneObjectUntilTheSchemaChanges) {
  Exec("CREATE TABLE t(a INT)");
  const auto columns = [&] {
    Call call("SELECT * FROM t");
    driver::StatementRun* const run = &call.run;
    reader_->RunBatch({&run, 1});
    EXPECT_TRUE(run->status.ok()) << run->status;
    return call.output.columns;
  };
  const driver::Columns before = columns();
  EXPECT_EQ(columns().get(), before.get());
  Exec("ALTER TABLE t ADD COLUMN b TEXT");
  EXPECT_EQ(columns()->size(), 2u);
  EXPECT_EQ(before->size(), 1u);
}

TEST_F(ValuesTest, TextThatIsNotUtf8FailsAndNamesTheColumn) {
  Exec("CREATE TABLE t(bad TEXT)");
  Exec("INSERT INTO t VALUES (CAST(x'ff41' AS TEXT))");
  Call call("SELECT bad FROM t");
  driver::StatementRun* const run = &call.run;
  reader_->RunBatch({&run, 1});
  EXPECT_EQ(call.reason(), Reason::kDataException);
  EXPECT_EQ(driver::GetErrorInfo(run->status).column, "bad");
  EXPECT_EQ(Read("SELECT CAST(bad AS BLOB) FROM t"),
            "blob \xff"
            "A");
}

TEST_F(ValuesTest, ValuesAboveTheLimitAreRefused) {
  driver::Config config = ConfigFor("small.db");
  config.max_value_bytes = 100'000;
  OpenConfig(config);
  Exec("CREATE TABLE t(v)");
  const std::string big(100'001, 'x');
  EXPECT_EQ(Try("INSERT INTO t VALUES ($1)", {Value::Text(big)})->reason(), Reason::kLimitExceeded);
  EXPECT_EQ(Try("INSERT INTO t VALUES (zeroblob(200000))")->reason(), Reason::kLimitExceeded);
  Exec("INSERT INTO t VALUES ($1)", {Value::Text(std::string_view(big).substr(0, 90'000))});
}

}  // namespace
}  // namespace penstock::sqlite
