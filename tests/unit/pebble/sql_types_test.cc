// The types that CREATE TABLE declares: what is kept, how, and what is refused.
#include <gmock/gmock.h>

#include <limits>

#include "tests/unit/pebble/sql_fixture.h"

namespace penstock::pebble {
namespace {

using ::testing::ElementsAre;
using namespace std::string_literals;

class SqlTypes : public SqlTest {
 protected:
  // What comes back of `value` from a column of this type, and what is stored.
  std::string RoundTrip(const std::string& type, const Value& value, const std::string& stored) {
    Exec("DROP TABLE IF EXISTS t");
    Exec("CREATE TABLE t(key TEXT PRIMARY KEY, value " + type + ")");
    const CallPtr insert = Try("INSERT INTO t VALUES ('k', $1)", {value});
    if (!insert->run.status.ok()) return "refused";
    EXPECT_EQ(Entries("t")["k"], stored) << type;
    const Texts rows = Query("SELECT value FROM t");
    // As an update has it that does not touch the value.
    Exec("UPDATE t SET key = 'other'");
    EXPECT_EQ(Entries("t")["other"], stored) << type;
    return rows.empty() ? "" : rows.front();
  }
};

TEST_F(SqlTypes, EachKindComesBackAsItWas) {
  constexpr auto kMax = std::numeric_limits<int64_t>::max();
  constexpr auto kMin = std::numeric_limits<int64_t>::min();
  EXPECT_EQ(RoundTrip("TEXT", Value::Text("Grüße"), "Grüße"), "text Grüße");
  EXPECT_EQ(RoundTrip("TEXT", Value::Text(""), ""), "text");
  EXPECT_EQ(RoundTrip("TEXT", Value::Text("a\0b"s), "a\0b"s), "text a\0b"s);
  EXPECT_EQ(RoundTrip("TEXT", Value::Text("12"), "12"), "text 12");
  EXPECT_EQ(RoundTrip("VARCHAR(20)", Value::Integer(12), "12"), "text 12");
  EXPECT_EQ(RoundTrip("BLOB", Value::Blob("\0\xff"s), "\0\xff"s), "blob \0\xff"s);
  EXPECT_EQ(RoundTrip("BYTEA", Value::Blob("x"), "x"), "blob x");
  EXPECT_EQ(RoundTrip("INTEGER", Value::Integer(kMax), "9223372036854775807"),
            "integer 9223372036854775807");
  EXPECT_EQ(RoundTrip("BIGINT", Value::Integer(kMin), "-9223372036854775808"),
            "integer -9223372036854775808");
  EXPECT_EQ(RoundTrip("INTEGER", Value::Text("12"), "12"), "integer 12");
  EXPECT_EQ(RoundTrip("INTEGER", Value::Real(3), "3"), "integer 3");
  EXPECT_EQ(RoundTrip("INTEGER", Value::Real(0.5), "0.5"), "real 0.5");
  EXPECT_EQ(RoundTrip("INTEGER", Value::Text("twelve"), "twelve"), "text twelve");
  EXPECT_EQ(RoundTrip("REAL", Value::Real(0.1), "0.1"), "real 0.1");
  EXPECT_EQ(RoundTrip("REAL", Value::Integer(3), "3.0"), "real 3");
  EXPECT_EQ(RoundTrip("DOUBLE PRECISION", Value::Real(-1.7976931348623157e308),
                      "-1.7976931348623157e+308"),
            "real -1.7976931348623157e+308");
  EXPECT_EQ(RoundTrip("REAL", Value::Real(std::numeric_limits<double>::infinity()), "9e999"),
            "real inf");
  EXPECT_EQ(RoundTrip("BOOLEAN", Value::Boolean(true), "1"), "boolean true");
  EXPECT_EQ(RoundTrip("DECIMAL(10,2)", Value::Of(Kind::kDecimal, "-12.5"), "-12.5"),
            "decimal -12.5");
  EXPECT_EQ(RoundTrip("DATE", Value::Of(Kind::kDate, "2024-02-29"), "2024-02-29"),
            "date 2024-02-29");
  EXPECT_EQ(RoundTrip("UUID", Value::Of(Kind::kUuid, "123e4567-e89b-12d3-a456-426614174000"),
                      "123e4567-e89b-12d3-a456-426614174000"),
            "uuid 123e4567-e89b-12d3-a456-426614174000");
  EXPECT_EQ(RoundTrip("JSON", Value::Of(Kind::kJson, R"({"a": [1]})"), R"({"a": [1]})"),
            R"(json {"a": [1]})");
  EXPECT_EQ(RoundTrip("JSON", Value::Of(Kind::kJson, "17"), "17"), "json 17");
  EXPECT_EQ(RoundTrip("INTERVAL", Value::Of(Kind::kInterval, "P1D"), "P1D"), "interval P1D");
  EXPECT_EQ(RoundTrip("TIMESTAMP", Value::Timestamp(1'700'000'000, 0), "2023-11-14 22:13:20"),
            RoundTrip("DATETIME", Value::Timestamp(1'700'000'000, 0), "2023-11-14 22:13:20"));
}

TEST_F(SqlTypes, WhatWouldComeBackAsSomethingElseIsRefused) {
  EXPECT_EQ(RoundTrip("BLOB", Value::Integer(5), ""), "refused");
  EXPECT_EQ(RoundTrip("TEXT", Value::Blob("\xff"), ""), "refused");
  EXPECT_EQ(RoundTrip("INTEGER", Value::Blob("5"), ""), "refused");
  const CallPtr call = Try("INSERT INTO kv VALUES (5, 'x')");
  EXPECT_EQ(FailureOf(*call), (Failure{Reason::kDataException, "", "key"}));
  EXPECT_FALSE(driver::GetErrorInfo(call->run.status).hint.empty());
  EXPECT_EQ(Exec("INSERT INTO kv VALUES (CAST(5 AS BLOB), 'x')"), 1);
  EXPECT_EQ(Entries("kv").begin()->first, "5");
}

TEST_F(SqlTypes, ParametersAreStoredExactlyOrRefused) {
  EXPECT_EQ(RoundTrip("NUMERIC", Value::Text("00123"), ""), "refused");
  EXPECT_EQ(RoundTrip("INTEGER", Value::Text("1e3"), ""), "refused");
  EXPECT_EQ(RoundTrip("BOOLEAN", Value::Text(" 12 "), ""), "refused");
  EXPECT_EQ(RoundTrip("REAL", Value::Integer(9007199254740993), ""), "refused");
  EXPECT_EQ(RoundTrip("TEXT", Value::Real(0.1 + 0.2), ""), "refused");
  EXPECT_EQ(RoundTrip("DECIMAL", Value::Of(Kind::kDecimal, "1234567890.1234567890"), ""),
            "refused");
  EXPECT_EQ(RoundTrip("TEXT", Value::Text("00123"), "00123"), "text 00123");
  EXPECT_EQ(RoundTrip("TEXT", Value::Of(Kind::kDecimal, "1.50"), "1.50"), "text 1.50");
  EXPECT_EQ(RoundTrip("DECIMAL", Value::Of(Kind::kDecimal, "1.50"), "1.5"), "decimal 1.5");
  EXPECT_EQ(RoundTrip("NUMERIC", Value::Of(Kind::kDecimal, "860.100797"), "860.100797"),
            "decimal 860.100797");
  EXPECT_EQ(RoundTrip("REAL", Value::Text("860.100797"), "860.100797"), "real 860.100797");
  EXPECT_EQ(RoundTrip("INTEGER", Value::Integer(9007199254740993), "9007199254740993"),
            "integer 9007199254740993");

  Exec("CREATE TABLE n(key TEXT, value NUMERIC)");
  for (const char* sql : {"INSERT INTO n VALUES ('k', $1)", "INSERT INTO n SELECT 'k', $1",
                          "INSERT INTO n SELECT key || 'x', $1 FROM n ORDER BY 1",
                          "UPDATE n SET value = $1", "REPLACE INTO n VALUES ('a', $1)"}) {
    Exec("REPLACE INTO n VALUES ('a', 1)");
    const CallPtr call = Try(sql, {Value::Text("00123")});
    EXPECT_EQ(FailureOf(*call), (Failure{Reason::kDataException, "", "value"})) << sql;
  }
  // A literal is SQL, and SQLite's affair.
  Exec("REPLACE INTO n VALUES ('a', '00123')");
  EXPECT_EQ(Entries("n")["a"], "123");
  EXPECT_THAT(Query("SELECT key FROM n WHERE value = $1", {Value::Text("00123")}),
              ElementsAre("text a"));
}

TEST_F(SqlTypes, NumbersCompareAndAddAsNumbers) {
  Exec("CREATE TABLE n(key TEXT, value INTEGER)");
  Exec("INSERT INTO n VALUES ('a', 9), ('b', 10), ('c', 100)");
  EXPECT_THAT(Query("SELECT key FROM n WHERE value > 9 ORDER BY value DESC"),
              ElementsAre("text c", "text b"));
  EXPECT_THAT(Query("SELECT sum(value) FROM n"), ElementsAre("integer 119"));
  EXPECT_EQ(Exec("UPDATE n SET value = value + 1"), 3);
  EXPECT_EQ(Entries("n")["c"], "101");
}

TEST_F(SqlTypes, KeysThatAreNoText) {
  const std::string key = "\xff\0\x80"s;
  Put("kv", key, "v");
  EXPECT_THAT(Query("SELECT key, value FROM kv"), ElementsAre("blob " + key + "|blob v"));
  EXPECT_THAT(Query("SELECT value FROM kv WHERE key = $1", {Value::Blob(key)}),
              ElementsAre("blob v"));
  EXPECT_EQ(Exec("UPDATE kv SET value = 'w' WHERE key >= x'ff'"), 1);
  EXPECT_EQ(Exec("UPDATE kv SET key = key || x'00'"), 1);
  EXPECT_EQ(Exec("DELETE FROM kv WHERE key = x'ff008000'"), 1);
  // Written as bytes to a table of text.
  Exec("CREATE TABLE t(key TEXT, value TEXT)");
  Put("t", key, "\xfe");
  EXPECT_EQ(FailureOf(*Try("SELECT key FROM t")), (Failure{Reason::kDataException, "", "key"}));
  EXPECT_THAT(Query("SELECT CAST(key AS BLOB), CAST(value AS BLOB) FROM t"),
              ElementsAre("blob " + key + "|blob \xfe"));
  EXPECT_EQ(Exec("DELETE FROM t WHERE key = $1", {Value::Blob(key)}), 1);
}

}  // namespace
}  // namespace penstock::pebble
