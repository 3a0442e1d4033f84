// What a value can be scanned into, and every refusal.
#include "penstock/scan.h"

#include <cmath>
#include <limits>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/make_rows.h"

namespace penstock {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();

template <typename T>
void ExpectTakes(const Value& from, const T& expected) {
  T to{};
  EXPECT_EQ(Convert(from, &to), absl::OkStatus()) << from;
  EXPECT_EQ(to, expected) << from;
}

// Also that the variable is left alone.
template <typename T>
void ExpectRefuses(const Value& from, const std::string& kind, const std::string& target) {
  T to{};
  const T before = to;
  const absl::Status status = Convert(from, &to);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << from << " as " << target;
  EXPECT_THAT(std::string(status.message()), HasSubstr(kind + " cannot be read as " + target));
  EXPECT_EQ(to, before);
}

TEST(ScanTest, IntegersOfEveryWidth) {
  ExpectTakes<int8_t>(-128, -128);
  ExpectTakes<uint8_t>(255, 255);
  ExpectTakes<int16_t>(32767, 32767);
  ExpectTakes<uint32_t>(4294967295, 4294967295u);
  ExpectTakes<int64_t>(kMin, kMin);
  ExpectTakes<uint64_t>(kMax, static_cast<uint64_t>(kMax));
  ExpectTakes<long long>(kMax, kMax);
  ExpectRefuses<int8_t>(-129, "integer", "int8_t: it is out of range");
  ExpectRefuses<uint8_t>(256, "integer", "uint8_t: it is out of range");
  ExpectRefuses<int16_t>(32768, "integer", "int16_t");
  ExpectRefuses<uint16_t>(-1, "integer", "uint16_t");
  ExpectRefuses<int32_t>(kMax, "integer", "int32_t");
  ExpectRefuses<uint64_t>(-1, "integer", "uint64_t");
  ExpectRefuses<int64_t>(1.0, "real", "int64_t");
  ExpectRefuses<int64_t>("1", "text", "int64_t");
  ExpectRefuses<int64_t>(true, "boolean", "int64_t");
  ExpectRefuses<int64_t>(Value::Decimal("1"), "decimal", "int64_t");
}

TEST(ScanTest, RealsOnlyIfExact) {
  ExpectTakes<double>(1.5, 1.5);
  ExpectTakes<double>(int64_t{1} << 53, 0x1p53);
  ExpectTakes<double>(kMin, -0x1p63);
  ExpectTakes<float>(1.5, 1.5f);
  ExpectTakes<float>(16777216, 16777216.0f);
  ExpectTakes<float>(std::numeric_limits<double>::infinity(),
                     std::numeric_limits<float>::infinity());
  float nan = 0;
  EXPECT_TRUE(Convert(Value(std::nan("")), &nan).ok());
  EXPECT_TRUE(std::isnan(nan));
  ExpectRefuses<double>((int64_t{1} << 53) + 1, "integer", "double: it would be rounded");
  ExpectRefuses<double>(kMax, "integer", "double");
  ExpectRefuses<double>(Value::Decimal("1.5"), "decimal", "double");
  ExpectRefuses<double>("1.5", "text", "double");
  ExpectRefuses<float>(0.1, "real", "float: it would be rounded");
  ExpectRefuses<float>(1e300, "real", "float");
  ExpectRefuses<float>(16777217, "integer", "float");
  ExpectRefuses<float>(true, "boolean", "float");
}

TEST(ScanTest, Booleans) {
  ExpectTakes<bool>(true, true);
  ExpectTakes<bool>(1, true);
  ExpectTakes<bool>(0, false);
  ExpectRefuses<bool>(2, "integer", "bool");
  ExpectRefuses<bool>("true", "text", "bool");
}

TEST(ScanTest, TextBytesAndTimes) {
  const std::string text = "2024";
  for (const Value& value :
       {Value(text), Value::Decimal(text), Value::Date(text), Value::Time(text),
        Value::Interval(text), Value::Uuid(text), Value::Json(text)}) {
    ExpectTakes<std::string>(value, text);
    ExpectRefuses<Bytes>(value, std::string(KindName(value.kind())), "penstock::Bytes");
  }
  ExpectTakes<Bytes>(Bytes{"\0x"}, Bytes{"\0x"});
  ExpectRefuses<std::string>(Bytes{"x"}, "blob", "std::string");
  ExpectRefuses<std::string>(1, "integer", "std::string");
  const absl::Time time = absl::FromUnixNanos(-1);
  ExpectTakes<absl::Time>(time, time);
  ExpectTakes<Timestamp>(time, Timestamp{-1, 999'999'999});
  ExpectRefuses<absl::Time>(Value::Date(text), "date", "absl::Time");
  ExpectRefuses<Timestamp>(1, "integer", "penstock::Timestamp");
}

TEST(ScanTest, NullAndAnything) {
  ExpectRefuses<int>(nullptr, "NULL", "int32_t; use std::optional<int32_t> or Value");
  ExpectRefuses<std::string>(nullptr, "NULL", "std::string");
  ExpectTakes<std::optional<int>>(nullptr, std::nullopt);
  ExpectTakes<std::optional<int>>(3, 3);
  ExpectRefuses<std::optional<int8_t>>(300, "integer", "int8_t");
  for (const Value& value : {Value(), Value(1), Value(Bytes{"x"}), Value::Array({1, nullptr})}) {
    ExpectTakes<Value>(value, value);
  }
}

TEST(RowsTest, ScansRowByRow) {
  const std::unique_ptr<Rows> rows = MakeRows({"id", "name"}, {{1, "Ada"}, {2, nullptr}});
  EXPECT_THAT(rows->Columns(), ::testing::ElementsAre("id", "name"));
  EXPECT_EQ(rows->ColumnTypes()[1].kind, Kind::kText);
  int id = 0;
  std::optional<std::string> name;
  EXPECT_TRUE(absl::IsFailedPrecondition(rows->Scan(&id, &name)));
  ASSERT_TRUE(rows->Next());
  ASSERT_TRUE(rows->Scan(&id, &name).ok());
  EXPECT_EQ(id, 1);
  EXPECT_EQ(name, "Ada");
  ASSERT_TRUE(rows->Next());
  EXPECT_THAT(rows->Values(), ::testing::ElementsAre(Value(2), Value()));
  EXPECT_FALSE(rows->Next());
  EXPECT_TRUE(rows->Err().ok());
  EXPECT_TRUE(rows->Values().empty());
}

TEST(RowsTest, AFailedScanIsNotLost) {
  const std::unique_ptr<Rows> rows = MakeRows({"id", "age"}, {{1, 300}, {2, 20}});
  ASSERT_TRUE(rows->Next());
  int id = 0;
  int8_t age = 0;
  const absl::Status scanned = rows->Scan(&id, &age);
  EXPECT_EQ(scanned.message(),
            "column 2 \"age\": integer cannot be read as int8_t: it is out of range");
  EXPECT_FALSE(rows->Next());
  EXPECT_EQ(rows->Err(), scanned);
  EXPECT_EQ(rows->Close(), scanned);
}

TEST(RowsTest, AWrongNumberOfVariablesIsRefused) {
  for (const bool more : {false, true}) {
    const std::unique_ptr<Rows> rows = MakeRows({"a", "b"}, {{1, 2}});
    ASSERT_TRUE(rows->Next());
    int a, b, c;
    EXPECT_TRUE(absl::IsInvalidArgument(more ? rows->Scan(&a, &b, &c) : rows->Scan(&a)));
    EXPECT_FALSE(rows->Err().ok());
  }
}

TEST(RowsTest, ColumnsByTheirNames) {
  const std::unique_ptr<Rows> rows =
      MakeRows({"id", "name", "age"}, {{1, "Ada", 36}, {2, "Tim", nullptr}});
  EXPECT_TRUE(absl::IsFailedPrecondition(rows->Get<int>("id").status()));
  std::vector<std::string> found;
  for (Rows& row : *rows) {
    const auto age = row.Get<std::optional<int>>("age");
    found.push_back(std::string(*row.Get<std::string_view>("name")) + " " +
                    std::to_string(*row.Get<int64_t>("id")) + " " +
                    std::to_string(age->value_or(-1)));
  }
  EXPECT_THAT(found, ::testing::ElementsAre("Ada 1 36", "Tim 2 -1"));
  EXPECT_EQ(rows->Err(), absl::OkStatus());
}

TEST(RowsTest, ANameThatNoColumnOrMoreThanOneHasIsRefused) {
  const std::pair<const char*, const char*> cases[] = {
      {"Id", "Get: there is no column \"Id\"; the columns are \"id\", \"name\", \"id\""},
      {"id",
       "Get: more than one column is called \"id\"; the columns are \"id\", \"name\", \"id\""}};
  for (const auto& [name, message] : cases) {
    const std::unique_ptr<Rows> rows = MakeRows({"id", "name", "id"}, {{1, "Ada", 2}});
    ASSERT_TRUE(rows->Next());
    const absl::StatusOr<int64_t> id = rows->Get<int64_t>(name);
    EXPECT_TRUE(absl::IsInvalidArgument(id.status()));
    EXPECT_EQ(id.status().message(), message);
    // As with Scan, a loop that does not look cannot take the result for good.
    EXPECT_EQ(rows->Err(), id.status());
    EXPECT_FALSE(rows->Next());
  }
}

TEST(RowsTest, AColumnThatDoesNotFitSaysWhich) {
  const std::unique_ptr<Rows> rows = MakeRows({"id", "name"}, {{1, "Ada"}});
  ASSERT_TRUE(rows->Next());
  const absl::Status refused = rows->Get<int64_t>("name").status();
  EXPECT_EQ(refused.message(), "column 2 \"name\": text cannot be read as int64_t");
  EXPECT_EQ(rows->Err(), refused);
}

TEST(RowsTest, ALoopEndsWithTheFailureInErr) {
  const std::unique_ptr<Rows> rows = MakeRows({"a"}, {{1}}, absl::UnavailableError("cut"));
  int count = 0;
  for (Rows& row : *rows) count += *row.Get<int>("a");
  EXPECT_EQ(count, 1);
  EXPECT_TRUE(absl::IsUnavailable(rows->Err()));
}

TEST(RowsTest, AResultThatBreaksOffIsAnError) {
  const std::unique_ptr<Rows> rows = MakeRows({"a"}, {{1}}, absl::UnavailableError("cut"));
  EXPECT_TRUE(rows->Next());
  EXPECT_FALSE(rows->Next());
  EXPECT_TRUE(absl::IsUnavailable(rows->Err()));
}

}  // namespace
}  // namespace penstock
