// What sessions are set to, and values that do not depend on it.
#include <cstdlib>
#include <map>
#include <string>

#include "drivers/api/error.h"
#include "drivers/postgres/postgres_driver.h"
#include "drivers/postgres/session_settings.h"
#include "fmt/format.h"
#include "tests/unit/postgres/fixture.h"

namespace penstock::postgres {
namespace {

constexpr int64_t kFirst = -62'135'596'800;  // 0001-01-01T00:00:00Z
constexpr int64_t kLast = 253'402'300'799;   // 9999-12-31T23:59:59Z

// Every setting that a value's text depends on, as somebody else may have it.
constexpr const char* kForeign[] = {"TimeZone = 'Asia/Tokyo'", "DateStyle = 'SQL, DMY'",
                                    "IntervalStyle = 'postgres_verbose'", "bytea_output = 'escape'",
                                    "extra_float_digits = -10"};

class SettingsTest : public PostgresDriverTest {
 protected:
  void SetForTheDatabase() {
    for (const char* setting : kForeign) {
      Ask(
          fmt::format("DO $do$ BEGIN EXECUTE 'ALTER DATABASE ' || quote_ident(current_database()) "
                      "|| $set$ SET {}$set$; END $do$",
                      setting));
    }
  }
  void ExpectOwnSettings() {
    EXPECT_EQ(Ask("SHOW TimeZone"), "text UTC");
    EXPECT_EQ(Ask("SHOW DateStyle").substr(0, 9), "text ISO,");
    EXPECT_EQ(Ask("SHOW IntervalStyle"), "text iso_8601");
    EXPECT_EQ(Ask("SHOW bytea_output"), "text hex");
    EXPECT_EQ(Ask("SHOW extra_float_digits"), "text 1");
    EXPECT_EQ(Ask("SHOW client_encoding"), "text UTF8");
  }
  // A value of each kind whose text depends on a setting.
  void ExpectValues() {
    EXPECT_EQ(Ask("SELECT timestamptz '2024-02-29 12:00:00.5+02', timestamp '2024-02-29 12:00:00', "
                  "date '2024-02-29', interval '1 day 02:00:00', '\\x5c00ff'::bytea, 0.1::float8, "
                  "'{2024-02-29}'::date[], '{1 day}'::interval[]"),
              "timestamp 1709200800.500000000|timestamp 1709208000.000000000|date 2024-02-29|"
              "interval P1DT2H|blob " +
                  std::string("\x5c\0\xff", 3) + "|real 0.1|array [2024-02-29]|array [P1D]");
  }
};

TEST_F(SettingsTest, AreTheDriversWhateverTheDatabaseHas) {
  SetForTheDatabase();
  OpenDriver();
  ExpectOwnSettings();
  ExpectValues();
}

TEST_F(SettingsTest, AreTheDriversAgainAfterAReset) {
  SetForTheDatabase();
  OpenDriver();
  Ask("SET TimeZone = 'Europe/Berlin'");
  Ask("RESET ALL");
  ExpectOwnSettings();
}

TEST_F(SettingsTest, AreTheDriversWhateverTheConnectionStringHas) {
  config_.connection_string +=
      " options='-c TimeZone=Asia/Tokyo -c DateStyle=German -c bytea_output=escape'";
  OpenDriver();
  ExpectOwnSettings();
  ExpectValues();
}

// libpq sends these variables in a way that comes before the words of `options`.
TEST_F(SettingsTest, AreTheDriversWhateverTheEnvironmentHas) {
  setenv("PGTZ", "Asia/Tokyo", 1);
  setenv("PGDATESTYLE", "German", 1);
  setenv("PGOPTIONS", "-c IntervalStyle=postgres", 1);
  OpenDriver();
  for (const char* name : {"PGTZ", "PGDATESTYLE", "PGOPTIONS"}) unsetenv(name);
  ExpectOwnSettings();
  Ask("SET TimeZone = 'Europe/Berlin'");
  EXPECT_TRUE(connection_->Reset().ok());
  ExpectOwnSettings();
  ExpectValues();
}

TEST_F(SettingsTest, TheServersTimeZoneIsKeptOnDemand) {
  SetForTheDatabase();
  config_.options["time_zone"] = "server";
  OpenDriver();
  EXPECT_EQ(Ask("SHOW TimeZone"), "text Asia/Tokyo");
  EXPECT_EQ(Ask("SHOW IntervalStyle"), "text iso_8601");
  ExpectValues();
}

TEST_F(SettingsTest, TheOptionHasTwoValues) {
  config_.options["time_zone"] = "Asia/Tokyo";
  const auto driver = Open(config_);
  EXPECT_EQ(driver::GetErrorInfo(driver.status()).reason, Reason::kInvalidParameter);
  EXPECT_NE(driver.status().message().find("time_zone"), std::string::npos);
}

TEST_F(SettingsTest, TheFirstAndTheLastSecondAreTimestampsInEveryZone) {
  config_.options["time_zone"] = "server";
  for (const char* zone : {"UTC", "Asia/Tokyo", "America/New_York", "Pacific/Kiritimati",
                           "Etc/GMT+12", "Asia/Kathmandu", "Africa/Monrovia"}) {
    config_.connection_string += fmt::format(" options='-c TimeZone={}'", zone);
    OpenDriver();
    EXPECT_EQ(Ask("SELECT $1::timestamptz, $2::timestamptz, $3::timestamptz[]",
                  {Value::Timestamp(kFirst, 0), Value::Timestamp(kLast, 999'999'000),
                   Value::Text("{0001-01-01 00:00+00,9999-12-31 23:59:59+00}")}),
              fmt::format("timestamp {0}.000000000|timestamp {1}.999999000|array [{0}.000000000, "
                          "{1}.000000000]",
                          kFirst, kLast))
        << zone;
    EXPECT_EQ(Ask("SELECT ($1::timestamptz - interval '1 us') < $1", {Value::Timestamp(kFirst, 0)}),
              "boolean true");
    EXPECT_EQ(
        Ask("SELECT $1::timestamptz - interval '1 us'", {Value::Timestamp(kFirst, 0)}).substr(0, 5),
        "text ")
        << zone;
  }
}

TEST_F(SettingsTest, TimestampsAreStoredAsTheyAreWhateverTheZoneOfTheDatabase) {
  SetForTheDatabase();
  OpenDriver();
  Ask("CREATE TABLE ev (at timestamp, zoned timestamptz)");
  const std::vector<Value> list = {Value::Timestamp(kFirst, 0), Value::Timestamp(1'700'000'000, 0)};
  Value array;
  array.kind = Kind::kArray;
  array.elements = list;
  Ask("INSERT INTO ev SELECT unnest($1), unnest($1)", {array});
  EXPECT_EQ(Ask("SELECT array_agg(at), array_agg(zoned) FROM ev"),
            "array [-62135596800.000000000, 1700000000.000000000]|"
            "array [-62135596800.000000000, 1700000000.000000000]");
  Ask("DELETE FROM ev");
  Ask("INSERT INTO ev VALUES ($1, $1)", {Value::Timestamp(1'700'000'000, 0)});
  // Its parameter is a timestamp without a zone still, if the statement is kept.
  Ask("ALTER TABLE ev ALTER at TYPE timestamptz");
  Ask("INSERT INTO ev VALUES ($1, $1)", {Value::Timestamp(1'700'000'000, 0)});
  EXPECT_EQ(Ask("SELECT count(*), count(DISTINCT zoned), bool_and(at = zoned) FROM ev"),
            "integer 2|integer 1|boolean true");
}

// In one statement with the value, and in a transaction before it.
TEST_F(SettingsTest, WhatAStatementSetsItselfLeavesValuesReadable) {
  const std::string bytes = "blob " + std::string("\\x\0\xff", 4);
  EXPECT_EQ(Ask("SELECT '\\x5c7800ff'::bytea FROM set_config('bytea_output', 'escape', false)"),
            bytes);
  ASSERT_TRUE(connection_->Begin({}).ok());
  const auto in = [&](const std::string& sql) {
    const auto call = TryInTransaction(sql);
    EXPECT_TRUE(call->run.status.ok()) << sql << call->run.status;
    return call->row();
  };
  in("SET LOCAL bytea_output = 'escape'");
  EXPECT_EQ(in("SELECT ''::bytea, '\\x5c'::bytea, '\\x5c7800ff'::bytea, 'a'::bytea"),
            "blob|blob \\|" + bytes + "|blob a");
  EXPECT_EQ(in("SELECT ARRAY['\\x5c7800ff'::bytea, '']")[0], 'a');
  for (const auto& [style, day] : {std::pair{"postgres", "1 day 02:00:00"},
                                   {"postgres_verbose", "@ 1 day 2 hours"},
                                   {"sql_standard", "1 2:00:00"}}) {
    in(fmt::format("SET LOCAL IntervalStyle = '{}'", style));
    EXPECT_EQ(in("SELECT interval '1 day 02:00', ARRAY[interval '1 day 02:00']"),
              fmt::format("text {0}|array ['{0}']", day));
  }
  for (const auto& [style, date] : {std::pair{"SQL, DMY", "29/02/2024"},
                                    {"German", "29.02.2024"},
                                    {"Postgres, MDY", "02-29-2024"}}) {
    in(fmt::format("SET LOCAL DateStyle = '{}'", style));
    EXPECT_EQ(in("SELECT date '2024-02-29', ARRAY[date '2024-02-29']"),
              fmt::format("text {0}|array ['{0}']", date));
    EXPECT_EQ(in("SELECT timestamptz '2024-02-29 12:00+00'").substr(0, 5), "text ");
  }
  in("SET LOCAL DateStyle = 'ISO'");
  in("SET LOCAL TimeZone = 'Asia/Tokyo'");
  EXPECT_EQ(in("SELECT timestamptz '2024-02-29 12:00+00'"), "timestamp 1709208000.000000000");
  ASSERT_TRUE(connection_->Rollback().ok());
}

TEST_F(SettingsTest, AChangeOfTheEncodingIsRefused) {
  for (const char* sql : {"SELECT set_config('client_encoding', 'LATIN1', false), 'Ã©'",
                          "SET client_encoding = 'LATIN1'", "SET NAMES 'LATIN1'"}) {
    const auto call = Try(sql);
    EXPECT_EQ(call->reason(), Reason::kUnsupported) << sql << call->run.status;
    EXPECT_NE(call->message().find("client_encoding"), std::string::npos) << call->message();
    EXPECT_EQ(Ask("SELECT 'Ã©'"), "text Ã©");
  }
  ASSERT_TRUE(connection_->Begin({}).ok());
  EXPECT_EQ(TryInTransaction("SET LOCAL client_encoding = 'LATIN1'")->reason(),
            Reason::kUnsupported);
  EXPECT_EQ(TryInTransaction("SELECT 'Ã©'")->row(), "text Ã©");
  ASSERT_TRUE(connection_->Commit().ok());
  EXPECT_EQ(Ask("SELECT 'Ã©'"), "text Ã©");
}

TEST(MissingSettingsTest, AreThoseThatTheReportsDoNotTell) {
  std::map<std::string, std::string> reports = {{"DateStyle", "ISO, DMY"},
                                                {"IntervalStyle", "iso_8601"},
                                                {"TimeZone", "UTC"},
                                                {"client_encoding", "UTF8"}};
  const auto reported = [&](const char* name) { return reports[name]; };
  EXPECT_EQ(MissingSettings(TimeZone::kUtc, reported), "");
  for (const auto& [name, value] : std::map(reports)) {
    reports[name] = "";
    const std::string sql = MissingSettings(TimeZone::kUtc, reported);
    for (const auto& [other, ignored] : reports) EXPECT_NE(sql.find(other), std::string::npos);
    EXPECT_NE(sql.find("bytea_output"), std::string::npos);
    reports[name] = value;
  }
  reports["TimeZone"] = "Asia/Tokyo";
  EXPECT_NE(MissingSettings(TimeZone::kUtc, reported), "");
  EXPECT_EQ(MissingSettings(TimeZone::kServer, reported), "");
}

}  // namespace
}  // namespace penstock::postgres
