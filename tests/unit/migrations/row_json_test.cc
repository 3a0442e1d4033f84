#include "drivers/pebble/migrations/row_json.h"

#include <string>

#include "drivers/api/error.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace penstock::migrations {
namespace {

using ::testing::HasSubstr;

HistoryRow Row() {
  return {.id = 7,
          .version = 9223372036854775807,
          .name = "create \"users\" \\ \n\t\x01 ä€",
          .checksum = "abc",
          .direction = Direction::kDown,
          .state = RowState::kFailed,
          .statement = 3,
          .note = "no such table: \"x\"",
          .applied_at_us = 1'700'000'000'123'456,
          .duration_ms = 12};
}

TEST(RowJson, ComesBackAsItWent) {
  for (const int64_t micros : {int64_t{1'700'000'000'123'456}, int64_t{0}, int64_t{-1}}) {
    HistoryRow row = Row();
    row.applied_at_us = micros;
    const absl::StatusOr<HistoryRow> back = RowFromJson(ToJson(row), "h");
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(*back, row);
  }
}

TEST(RowJson, IsReadable) {
  EXPECT_EQ(ToJson({.id = 1, .version = 2, .name = "a", .checksum = "c", .note = {}}),
            R"({"id":1,"version":2,"name":"a","checksum":"c","direction":"up","state":"done",)"
            R"("statement":0,"note":"","applied_at":"1970-01-01 00:00:00","duration_ms":0})");
}

// As other programs may have written it.
TEST(RowJson, AnyOrderAndSpaceAndMore) {
  const absl::StatusOr<HistoryRow> row = RowFromJson(
      R"( { "duration_ms" : 5 , "applied_at":"1970-01-01T00:00:01Z","note":"\u00e4\u20ac\/\b",)"
      R"("statement":0,"state":"done","direction":"up","checksum":"","name":"x","version":-3,)"
      R"("id":1,"more":"what?"} )",
      "h");
  ASSERT_TRUE(row.ok()) << row.status();
  EXPECT_EQ(row->version, -3);
  EXPECT_EQ(row->note, "ä€/\b");
  EXPECT_EQ(row->applied_at_us, 1'000'000);
}

TEST(RowJson, WhatIsNoneIsRefused) {
  const std::string good = ToJson(Row());
  // Each beginning of a good one, and each of its bytes replaced: no crash, and only what
  // is whole is taken.
  for (size_t length = 0; length < good.size(); ++length) {
    EXPECT_FALSE(RowFromJson(good.substr(0, length), "h").ok()) << length;
    std::string changed = good;
    changed[length] = '}';
    RowFromJson(changed, "h").IgnoreError();
  }
  for (const char* json : {"", "{}", "[]", "null", "{\"id\":1}", "{\"id\":\"1\"}", "{\"a\":\"\\"}) {
    const absl::Status status = RowFromJson(json, "the_history").status();
    EXPECT_EQ(driver::GetErrorInfo(status).reason, driver::Reason::kDataException);
    EXPECT_THAT(std::string(status.message()), HasSubstr("the_history"));
  }
  std::string unknown = good;
  unknown.replace(unknown.find("failed"), 6, "eroded");
  EXPECT_THAT(
      std::string(RowFromJson(unknown, "h").status().message()),
      HasSubstr(
          "row 7 of the migration history h has an unknown direction 'down' or state 'eroded'"));
}

}  // namespace
}  // namespace penstock::migrations
