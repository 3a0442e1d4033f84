#include "penstock/value.h"

#include <limits>
#include <type_traits>
#include <utility>

#include "absl/time/clock.h"

#include "gtest/gtest.h"

namespace penstock {
namespace {

TEST(ValueTest, TakesItsKindFromTheType) {
  EXPECT_TRUE(Value(nullptr).is_null());
  EXPECT_TRUE(Value(std::nullopt).is_null());
  EXPECT_TRUE(Value(static_cast<const char*>(nullptr)).is_null());
  EXPECT_EQ(Value(true).kind(), Kind::kBoolean);
  EXPECT_EQ(Value(int8_t{-5}).integer(), -5);
  EXPECT_EQ(Value(uint16_t{65535}).integer(), 65535);
  EXPECT_EQ(Value(1.5f).real(), 1.5);
  EXPECT_EQ(Value("text").text(), "text");
  EXPECT_EQ(Value(std::string("a\0b", 3)).text().size(), 3u);
  EXPECT_EQ(Value(absl::string_view("text")), Value(std::string_view("text")));
  EXPECT_EQ(Value(Bytes{"x"}).kind(), Kind::kBlob);
  EXPECT_EQ(Value(std::optional<int>(3)), Value(3));
  EXPECT_TRUE(Value(std::optional<std::string>()).is_null());
  EXPECT_EQ(Value::Array({1, "a", nullptr}).elements().size(), 3u);
}

TEST(ValueTest, RefusesTypesThatWouldBeMistaken) {
  static_assert(!std::is_convertible_v<int*, Value>);
  static_assert(!std::is_convertible_v<char, Value>);
  static_assert(!std::is_convertible_v<long double, Value>);
}

TEST(ValueTest, FactoriesKeepTheText) {
  const std::pair<Value, Kind> cases[] = {
      {Value::Decimal("1.50"), Kind::kDecimal}, {Value::Date("2024-02-29"), Kind::kDate},
      {Value::Time("12:00:00"), Kind::kTime},   {Value::Interval("P1D"), Kind::kInterval},
      {Value::Uuid("0-0"), Kind::kUuid},        {Value::Json("{}"), Kind::kJson}};
  for (const auto& [value, kind] : cases) {
    EXPECT_EQ(value.kind(), kind);
    EXPECT_FALSE(value.text().empty());
    EXPECT_NE(value, Value(value.text())) << "a kind is part of the value";
  }
}

TEST(ValueTest, RefusesIntegersThatDoNotFit) {
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(Value(kMax).integer(), std::numeric_limits<int64_t>::max());
  EXPECT_TRUE(Value(kMax).status().ok());
  EXPECT_TRUE(absl::IsInvalidArgument(Value(kMax + 1).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Value::Array({1, kMax + 1}).status()));
}

TEST(ValueTest, KeepsTimesExactly) {
  const absl::Time time = absl::FromUnixNanos(-1);
  EXPECT_EQ(Value(time).timestamp(), (Timestamp{-1, 999'999'999}));
  EXPECT_TRUE(absl::IsInvalidArgument(Value(absl::InfiniteFuture()).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Value(absl::InfinitePast()).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Value(time + absl::Nanoseconds(1) / 4).status()));
}

TEST(ValueTest, ATimestampOfMicrosecondsIsTheOneThatTheTimeIsIn) {
  for (const int64_t seconds : {int64_t{7}, int64_t{-7}, int64_t{-62'135'596'800}}) {
    const absl::Time time = absl::FromUnixSeconds(seconds);
    EXPECT_EQ(Timestamp::Micros(time), (Timestamp{seconds, 0}));
    EXPECT_EQ(Timestamp::Micros(time + absl::Nanoseconds(1'999)), (Timestamp{seconds, 1'000}));
    EXPECT_EQ(Timestamp::Micros(time - absl::Nanoseconds(1)),
              (Timestamp{seconds - 1, 999'999'000}));
    EXPECT_EQ(Timestamp::Micros(time + absl::Nanoseconds(1) / 4), (Timestamp{seconds, 0}));
  }
  const Timestamp before = Timestamp::Micros(absl::Now());
  const Timestamp now = Timestamp::Now();
  EXPECT_EQ(now.nanos % 1'000, 0);
  EXPECT_GE(std::pair(now.seconds, now.nanos), std::pair(before.seconds, before.nanos));
  EXPECT_NE(Timestamp::Micros(absl::InfiniteFuture()), now);
}

TEST(ValueTest, PrintsForPeople) {
  EXPECT_EQ(Value::Array({1, "a\n", nullptr, Bytes{"\xc0"}, true}).DebugString(),
            R"([1, "a\n", NULL, x'c0', true])");
  EXPECT_EQ(Value::Decimal("1.50").DebugString(), R"(decimal "1.50")");
}

}  // namespace
}  // namespace penstock
