// Decoding FORMAT_COLUMNS, whole and damaged.
#include "client/src/batch.h"

#include <string>

#include "gtest/gtest.h"

namespace penstock::internal {
namespace {

// A message of three rows with one column, of which the second is NULL.
v1::QueryResponse ThreeRows(v1::Kind kind) {
  v1::QueryResponse part;
  part.set_row_count(3);
  v1::ColumnData* data = part.add_data();
  data->set_kind(kind);
  data->set_nulls(std::string(1, 0b010));
  return part;
}

void ExpectRows(v1::QueryResponse part, const Value& first, const Value& third) {
  Batch batch;
  ASSERT_EQ(batch.Reset(&part, 1), absl::OkStatus());
  ASSERT_EQ(batch.row_count(), 3u);
  EXPECT_EQ(batch.Cell(0, 0).Copy(), first);
  EXPECT_TRUE(batch.Cell(1, 0).Copy().is_null());
  EXPECT_EQ(batch.Cell(2, 0).Copy(), third);
}

void ExpectDamaged(v1::QueryResponse part) {
  Batch batch;
  EXPECT_TRUE(absl::IsInternal(batch.Reset(&part, 1))) << part.SerializeAsString();
  EXPECT_EQ(batch.row_count(), 0u);
}

TEST(BatchTest, Booleans) {
  v1::QueryResponse part = ThreeRows(v1::KIND_BOOLEAN);
  for (const bool value : {true, false, false}) part.mutable_data(0)->add_booleans(value);
  ExpectRows(part, true, false);
}

TEST(BatchTest, Integers) {
  v1::QueryResponse part = ThreeRows(v1::KIND_INTEGER);
  for (const int64_t value : {INT64_MIN, int64_t{0}, INT64_MAX}) {
    part.mutable_data(0)->add_integers(value);
  }
  ExpectRows(part, INT64_MIN, INT64_MAX);
}

TEST(BatchTest, Reals) {
  v1::QueryResponse part = ThreeRows(v1::KIND_REAL);
  for (const double value : {0.1, 0.0, 1e308}) part.mutable_data(0)->add_reals(value);
  ExpectRows(part, 0.1, 1e308);
}

TEST(BatchTest, Timestamps) {
  v1::QueryResponse part = ThreeRows(v1::KIND_TIMESTAMP);
  for (const int64_t value : {-1, 0, 5}) part.mutable_data(0)->add_integers(value);
  for (const uint32_t value : {999'999'999u, 0u, 1u}) part.mutable_data(0)->add_nanos(value);
  ExpectRows(part, Timestamp{-1, 999'999'999}, Timestamp{5, 1});
}

TEST(BatchTest, EveryKindOfBytes) {
  const std::pair<v1::Kind, Value (*)(std::string)> cases[] = {
      {v1::KIND_TEXT, [](std::string text) { return Value(std::move(text)); }},
      {v1::KIND_BLOB, [](std::string text) { return Value(Bytes{std::move(text)}); }},
      {v1::KIND_DECIMAL, Value::Decimal},
      {v1::KIND_DATE, Value::Date},
      {v1::KIND_TIME, Value::Time},
      {v1::KIND_INTERVAL, Value::Interval},
      {v1::KIND_UUID, Value::Uuid},
      {v1::KIND_JSON, Value::Json}};
  for (const auto& [kind, make] : cases) {
    v1::QueryResponse part = ThreeRows(kind);
    part.mutable_data(0)->set_data(std::string("a\0bcd", 5));
    for (const uint32_t end : {3u, 3u, 5u}) part.mutable_data(0)->add_ends(end);
    ExpectRows(part, make(std::string("a\0b", 3)), make("cd"));
  }
}

TEST(BatchTest, MixedKindsAndArrays) {
  v1::QueryResponse part = ThreeRows(v1::KIND_UNSPECIFIED);
  part.mutable_data(0)->add_values()->set_integer(1);
  part.mutable_data(0)->add_values();
  part.mutable_data(0)->add_values()->mutable_array()->add_values()->set_text("x");
  ExpectRows(part, 1, Value::Array({"x"}));
}

TEST(BatchTest, NothingButNull) {
  v1::QueryResponse part = ThreeRows(v1::KIND_UNSPECIFIED);
  part.mutable_data(0)->set_nulls(std::string(1, 0b111));
  ExpectRows(part, Value(), Value());
}

TEST(BatchTest, TheBitsMayEndWithTheLastNull) {
  v1::QueryResponse part = ThreeRows(v1::KIND_INTEGER);
  part.set_row_count(100);
  for (int i = 0; i < 100; ++i) part.mutable_data(0)->add_integers(i);
  Batch batch;
  ASSERT_TRUE(batch.Reset(&part, 1).ok());
  EXPECT_TRUE(batch.Cell(1, 0).Copy().is_null());
  EXPECT_EQ(batch.Cell(99, 0).Copy(), Value(99));
}

TEST(BatchTest, ArraysThatDoNotFitAreAnError) {
  v1::QueryResponse part = ThreeRows(v1::KIND_INTEGER);
  part.mutable_data(0)->add_integers(1);
  ExpectDamaged(part);
  ExpectDamaged(ThreeRows(v1::KIND_UNSPECIFIED));
  part = ThreeRows(v1::KIND_TEXT);
  part.mutable_data(0)->set_data("abc");
  for (const uint32_t end : {1u, 2u, 4u}) part.mutable_data(0)->add_ends(end);
  ExpectDamaged(part);
  part.mutable_data(0)->set_ends(2, 1);  // Before the one that it follows.
  ExpectDamaged(part);
  ExpectDamaged(ThreeRows(static_cast<v1::Kind>(77)));
  part = ThreeRows(v1::KIND_BOOLEAN);
  for (int i = 0; i < 3; ++i) part.mutable_data(0)->add_booleans(true);
  part.add_data();
  ExpectDamaged(part);  // Two columns instead of one.
}

}  // namespace
}  // namespace penstock::internal
