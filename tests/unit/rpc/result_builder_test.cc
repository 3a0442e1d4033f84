// Rows that are written as bytes are the messages that objects would have made.
#include "server/rpc/database/result_builder.h"

#include <cmath>
#include <limits>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "google/protobuf/unknown_field_set.h"
#include "gtest/gtest.h"
#include "server/rpc/base/convert.h"
#include "tests/support/wire.h"

namespace penstock::server {
namespace {

using driver::Kind;
using driver::Value;
using Rows = std::vector<std::vector<Value>>;

// Values of every kind, at their edges.
std::vector<Value> ValuesOf(Kind kind) {
  static const std::string* const large = new std::string(300'000, 'x');
  static const auto* const inner = new std::vector<Value>{Value::Integer(-1), Value::Null()};
  static const auto* const elements = new std::vector<Value>{
      Value::Text("a"), Value::Null(), {.kind = Kind::kArray, .elements = *inner}};
  switch (kind) {
    case Kind::kUnspecified: return {Value::Null()};
    case Kind::kBoolean: return {Value::Boolean(false), Value::Boolean(true)};
    case Kind::kInteger:
      return {Value::Integer(0),
              Value::Integer(127),
              Value::Integer(128),
              Value::Integer(-1),
              Value::Integer(std::numeric_limits<int64_t>::min()),
              Value::Integer(std::numeric_limits<int64_t>::max())};
    case Kind::kReal:
      return {Value::Real(0), Value::Real(-0.0), Value::Real(0.1), Value::Real(std::nan("")),
              Value::Real(-std::numeric_limits<double>::infinity())};
    case Kind::kTimestamp:
      return {Value::Timestamp(0, 0), Value::Timestamp(-1, 999'999'999),
              Value::Timestamp(253'402'300'799, 1)};
    case Kind::kArray:
      return {{.kind = Kind::kArray, .elements = {}},
              {.kind = Kind::kArray, .elements = *elements}};
    case Kind::kBlob: return {Value::Blob(""), Value::Blob(std::string_view("\0\xff", 2))};
    default:
      return {Value::Of(kind, ""), Value::Of(kind, "Grüße 🌍"), Value::Of(kind, *large),
              Value::Of(kind, std::string_view("a\0b", 3))};
  }
}

constexpr int kKinds = static_cast<int>(Kind::kArray) + 1;

void Write(const Value& value, driver::RowWriter* to) {
  switch (value.kind) {
    case Kind::kUnspecified: return to->Null();
    case Kind::kBoolean: return to->Boolean(value.integer != 0);
    case Kind::kInteger: return to->Integer(value.integer);
    case Kind::kReal: return to->Real(value.real);
    case Kind::kTimestamp: return to->Timestamp(value.integer, value.nanos);
    case Kind::kArray: return to->Array(value.elements);
    default: return to->Bytes(value.kind, value.text);
  }
}

driver::Columns ColumnsOf(size_t count) {
  auto columns = std::make_shared<std::vector<driver::Column>>(count);
  for (size_t i = 0; i < count; ++i) (*columns)[i].name = "c" + std::to_string(i);
  return columns;
}

void Write(const Rows& rows, driver::RowWriter* to) {
  for (const std::vector<Value>& row : rows) {
    for (const Value& value : row) Write(value, to);
    to->EndRow();
  }
}

// The parts, joined, with the rows of both forms as rows.
struct Result {
  std::vector<std::string> rows;
  int columns = 0;
  int parts = 0;
  int summaries = 0;
};

Result Take(ResultBuilder* builder) {
  Result result;
  for (std::string bytes; builder->TakePart(&bytes);) {
    v1::QueryResponse part;
    EXPECT_TRUE(part.ParseFromString(bytes));
    EXPECT_TRUE(part.GetReflection()->GetUnknownFields(part).empty());
    for (const v1::Row& row : part.rows()) result.rows.push_back(row.SerializeAsString());
    for (const v1::Row& row : testing::Decode(part)) result.rows.push_back(row.SerializeAsString());
    result.columns += part.columns_size();
    result.summaries += part.has_summary() ? 1 : 0;
    EXPECT_EQ(result.summaries == 1, !builder->has_part()) << "the last part has the summary";
    ++result.parts;
  }
  return result;
}

std::vector<std::string> Expected(const Rows& rows) {
  std::vector<std::string> expected;
  for (const std::vector<Value>& row : rows) {
    v1::Row message;
    for (const Value& value : row) ToProto(value, message.add_values());
    expected.push_back(message.SerializeAsString());
  }
  return expected;
}

void ExpectSame(const Rows& rows, size_t part_bytes) {
  const driver::Columns columns = ColumnsOf(rows.empty() ? 1 : rows[0].size());
  const driver::Summary summary{.rows_returned = static_cast<int64_t>(rows.size())};
  ResultBuilder builder;  // is used again
  for (const v1::Format format : {v1::FORMAT_ROWS, v1::FORMAT_COLUMNS, v1::FORMAT_ROWS}) {
    SCOPED_TRACE(v1::Format_Name(format));
    builder.Start(format, part_bytes);
    builder.Begin(columns);
    Write(rows, &builder);
    builder.Flush(&summary);
    EXPECT_EQ(builder.size().rows, rows.size());
    const Result result = Take(&builder);
    EXPECT_TRUE(result.rows == Expected(rows));
    EXPECT_EQ(result.columns, static_cast<int>(columns->size()));
    EXPECT_EQ(result.summaries, 1);
    EXPECT_EQ(builder.bytes(), 0u);
  }
}

TEST(ResultBuilderTest, EveryKindInBothForms) {
  for (int kind = 0; kind < kKinds; ++kind) {
    SCOPED_TRACE(kind);
    Rows rows;
    for (const Value& value : ValuesOf(static_cast<Kind>(kind))) rows.push_back({value});
    rows.push_back({Value::Null()});
    rows.insert(rows.begin(), {Value::Null()});
    ExpectSame(rows, 1 << 20);
    ExpectSame(rows, 1);
  }
}

TEST(ResultBuilderTest, ColumnsOfMixedKinds) {
  Rows rows;
  for (int kind = 0; kind < kKinds; ++kind) {
    for (int other = 0; other < kKinds; ++other) {
      rows.push_back(
          {ValuesOf(static_cast<Kind>(kind)).front(), ValuesOf(static_cast<Kind>(other)).back()});
    }
  }
  ExpectSame(rows, 1 << 20);
  ExpectSame(rows, 10'000);
}

TEST(ResultBuilderTest, AnyRows) {
  const uint32_t seed = std::random_device()();
  SCOPED_TRACE(seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 20; ++round) {
    Rows rows(random() % 50);
    const size_t columns = 1 + random() % 8;
    std::vector<int> kinds(columns);
    for (int& kind : kinds) kind = static_cast<int>(random() % kKinds);
    for (std::vector<Value>& row : rows) {
      for (const int usual : kinds) {
        // Most columns have one kind, and NULL among it.
        const int kind = random() % 10 == 0  ? static_cast<int>(random() % kKinds)
                         : random() % 4 == 0 ? 0
                                             : usual;
        const std::vector<Value> values = ValuesOf(static_cast<Kind>(kind));
        row.push_back(values[random() % values.size()]);
      }
    }
    ExpectSame(rows, random() % 2 == 0 ? 100 : 100'000);
  }
}

TEST(ResultBuilderTest, ARowWithoutColumnsIsARow) {
  ResultBuilder builder;
  builder.Start(v1::FORMAT_ROWS, 1000);
  builder.Begin(ColumnsOf(0));
  builder.EndRow();
  builder.EndRow();
  const driver::Summary summary;
  builder.Flush(&summary);
  EXPECT_EQ(Take(&builder).rows.size(), 2u);
}

TEST(ResultBuilderTest, ARunThatBeginsAgainForgetsWhatItHasWritten) {
  const driver::Columns columns = ColumnsOf(2);
  for (const v1::Format format : {v1::FORMAT_ROWS, v1::FORMAT_COLUMNS}) {
    for (const bool known : {false, true}) {
      ResultBuilder builder;
      builder.Start(format, 30, known ? columns : nullptr);
      builder.Begin(columns);
      Write({{Value::Integer(1), Value::Integer(2)}, {Value::Integer(3), Value::Null()}}, &builder);
      builder.Integer(5);  // half a row
      builder.Begin(columns);
      builder.Bytes(Kind::kText, "half a row");
      builder.Begin(columns);
      const Rows rows = {{Value::Integer(6), Value::Text("x")}};
      Write(rows, &builder);
      const driver::Summary summary;
      builder.Flush(&summary);
      const Result result = Take(&builder);
      EXPECT_EQ(result.rows, Expected(rows));
      EXPECT_EQ(result.columns, known ? 0 : 2);
    }
  }
}

}  // namespace
}  // namespace penstock::server
