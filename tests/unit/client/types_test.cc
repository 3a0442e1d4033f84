// Times, enumerations and arrays of C++ as values, and back.
#include "penstock/types.h"

#include <array>
#include <chrono>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/scan.h"
#include "penstock/sql.h"
#include "penstock/value.h"

namespace penstock {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;

enum class State { kNew, kPaid, kLost };
enum class Level : int8_t { kLow = -1, kHigh = 100 };
enum class Letter : char { kNone = 0, kA = 'a' };

}  // namespace

template <>
struct EnumNames<State> {
  static constexpr std::pair<State, std::string_view> kNames[] = {{State::kNew, "new"},
                                                                  {State::kPaid, "paid"}};
};

namespace {

// What is written is read back as it was.
template <typename T>
void ExpectKept(const T& value, const Value& as) {
  EXPECT_EQ(Value(value), as);
  T back{};
  EXPECT_EQ(Convert(as, &back), absl::OkStatus()) << as;
  EXPECT_EQ(back, value);
}

template <typename T>
void ExpectRefused(const Value& value, const std::string& why) {
  T variable{};
  const absl::Status refused = Convert(value, &variable);
  EXPECT_TRUE(absl::IsInvalidArgument(refused)) << value << " " << refused;
  EXPECT_THAT(refused.ToString(), HasSubstr(why));
  EXPECT_EQ(variable, T{});
}

TEST(TypesTest, TextsWithAKind) {
  ExpectKept(Decimal{"1.50"}, Value::Decimal("1.50"));
  ExpectKept(TimeOfDay{"12:00:00"}, Value::Time("12:00:00"));
  ExpectKept(Interval{"P1Y"}, Value::Interval("P1Y"));
  ExpectKept(Uuid{"123e4567-e89b-12d3-a456-426614174000"},
             Value::Uuid("123e4567-e89b-12d3-a456-426614174000"));
  ExpectKept(Json{"{}"}, Value::Json("{}"));
  Decimal decimal;
  EXPECT_EQ(Convert(Value(7), &decimal), absl::OkStatus());
  EXPECT_EQ(decimal.text, "7");
  ExpectRefused<Decimal>(Value(1.5), "may have been rounded");
  ExpectRefused<Decimal>(Value("1.5"), "text cannot be read");
  ExpectRefused<Uuid>(Value::Decimal("1"), "decimal cannot be read as penstock::Uuid");
}

TEST(TypesTest, Days) {
  ExpectKept(absl::CivilDay(2024, 2, 29), Value::Date("2024-02-29"));
  ExpectKept(absl::CivilDay(1, 1, 1), Value::Date("0001-01-01"));
  ExpectKept(std::chrono::year_month_day(2024y / 2 / 29), Value::Date("2024-02-29"));
  EXPECT_FALSE(Value(absl::CivilDay(10000, 1, 1)).status().ok());
  EXPECT_FALSE(Value(absl::CivilDay(0, 1, 1)).status().ok());
  EXPECT_FALSE(Value(std::chrono::year_month_day(2023y / 2 / 29)).status().ok());
  for (const char* wrong :
       {"", "2024-02-30", "2024-2-29", "-024-02-29", "2024-02-29 ", "+2024-01-1", "infinity"}) {
    ExpectRefused<absl::CivilDay>(Value(wrong), "YYYY-MM-DD");
  }
  ExpectRefused<absl::CivilDay>(Value(5), "integer cannot be read");
}

TEST(TypesTest, Times) {
  using std::chrono::sys_days;
  using std::chrono::sys_time;
  const sys_days day = 2024y / 2 / 29;
  const int64_t seconds = std::chrono::sys_seconds(day).time_since_epoch().count();
  ExpectKept(day, Value(Timestamp{seconds, 0}));
  ExpectKept(sys_time<std::chrono::milliseconds>(day + 1ms), Value(Timestamp{seconds, 1'000'000}));
  ExpectKept(sys_time<std::chrono::nanoseconds>(-1ns), Value(Timestamp{-1, 999'999'999}));
  // Beyond the range of nanoseconds.
  ExpectKept(std::chrono::sys_seconds(sys_days(9999y / 12 / 31)),
             Value(Timestamp{253'402'214'400, 0}));
  ExpectKept(absl::CivilSecond(2024, 2, 29), Value(Timestamp{seconds, 0}));
  ExpectRefused<sys_days>(Value(Timestamp{seconds + 1, 0}), "it would be rounded");
  ExpectRefused<sys_time<std::chrono::microseconds>>(Value(Timestamp{0, 1}), "rounded");
  ExpectRefused<sys_time<std::chrono::nanoseconds>>(Value(Timestamp{253'402'214'400, 0}),
                                                    "it is out of range");
  ExpectRefused<absl::CivilSecond>(Value(Timestamp{0, 1}), "rounded");
}

// What an expression on SQLite gives.
TEST(TypesTest, TimesAsTheirText) {
  Timestamp time;
  EXPECT_EQ(Convert(Value("2024-02-29 01:02:03.5"), &time), absl::OkStatus());
  EXPECT_EQ(time, (Timestamp{1'709'168'523, 500'000'000}));
  for (const char* wrong : {"2024-02-29", "2024-02-29T01:02:03", "2024-02-29 24:00:00",
                            "2024-02-29 01:02:60", "2024-02-29 01:02:03.", "2024-02-29 01:02:03Z",
                            "2024-02-29 01:02:03.1234567890", "2024-02-29 01:02:03.-1"}) {
    ExpectRefused<Timestamp>(Value(wrong), "it does not have the form");
  }
}

TEST(TypesTest, Durations) {
  ExpectKept(std::chrono::milliseconds(1500), Value::Interval("PT1.5S"));
  ExpectKept(std::chrono::nanoseconds(-1), Value::Interval("PT-0.000000001S"));
  ExpectKept(std::chrono::hours(0), Value::Interval("PT0S"));
  ExpectKept(std::chrono::nanoseconds::max(), Value(std::chrono::nanoseconds::max()));
  std::chrono::seconds seconds{};
  EXPECT_EQ(Convert(Value::Interval("PT36H1M-2S"), &seconds), absl::OkStatus());
  EXPECT_EQ(seconds, 36h + 58s);
  ExpectRefused<std::chrono::seconds>(Value::Interval("P1D"), "whose length is not fixed");
  ExpectRefused<std::chrono::seconds>(Value::Interval("PT0.5S"), "rounded");
  ExpectRefused<std::chrono::seconds>(Value::Interval("PT9999999999999H"), "out of range");
  for (const char* wrong : {"", "PT", "PT5", "P1Y2M", "PTS", "PT1S1S", "PT1.S"}) {
    ExpectRefused<std::chrono::seconds>(Value::Interval(wrong), "std::chrono::duration");
  }
  EXPECT_FALSE(Value(std::chrono::years(300)).status().ok());
}

TEST(TypesTest, Enumerations) {
  ExpectKept(Level::kLow, Value(-1));
  ExpectKept(State::kPaid, Value("paid"));
  EXPECT_FALSE(Value(State::kLost).status().ok());
  ExpectRefused<State>(Value("lost"), "EnumNames does not have it");
  ExpectRefused<State>(Value(1), "integer cannot be read");
  ExpectRefused<Level>(Value(200), "out of range");
}

TEST(TypesTest, Arrays) {
  ExpectKept(std::vector<std::string>{"a", "b"}, Value::Array({"a", "b"}));
  ExpectKept(std::vector<std::optional<int>>{1, std::nullopt}, Value::Array({1, nullptr}));
  ExpectKept(std::vector<bool>{true, false}, Value::Array({true, false}));
  ExpectKept(std::vector<std::vector<int>>{{1}, {}},
             Value::Array({Value::Array({1}), Value::Array({})}));
  const double numbers[] = {1, 2};
  EXPECT_EQ(Value(std::span(numbers)), Value::Array({1.0, 2.0}));
  ExpectRefused<std::vector<int>>(Value::Array({1, "x"}), "text cannot be read as int32_t");
  ExpectRefused<std::vector<int>>(Value::Array({1, nullptr}), "NULL");
  ExpectRefused<std::vector<int>>(Value(1), "integer cannot be read as std::vector");
}

TEST(TypesTest, ArraysOfAFixedSize) {
  ExpectKept(std::array<int, 2>{1, 2}, Value::Array({1, 2}));
  ExpectRefused<std::array<int, 2>>(Value::Array({1, 2, 3}), "3 elements cannot be read into 2");
  int numbers[2] = {7, 8};
  std::span<int> places(numbers);
  EXPECT_EQ(Convert(Value::Array({1, 2}), &places), absl::OkStatus());
  EXPECT_EQ(numbers[1], 2);
  for (const Value& wrong : {Value::Array({3}), Value::Array({3, "x"}), Value(3)}) {
    EXPECT_TRUE(absl::IsInvalidArgument(Convert(wrong, &places))) << wrong;
    EXPECT_EQ(numbers[0], 1) << "it keeps its content";
  }
  static_assert(!Scannable<std::span<const int>>);
}

TEST(TypesTest, BytesAreABlob) {
  const std::vector<std::byte> bytes = {std::byte{0}, std::byte{0xff}};
  const Value blob(Bytes{std::string("\0\xff", 2)});
  ExpectKept(bytes, blob);
  ExpectKept(std::array<std::byte, 2>{bytes[0], bytes[1]}, blob);
  EXPECT_EQ(Value(std::span(bytes)), blob);
  EXPECT_EQ(Value(std::span<const std::byte>(bytes)), blob);
  ExpectRefused<std::array<std::byte, 1>>(blob, "2 bytes cannot be read into 1");
  ExpectRefused<std::vector<std::byte>>(Value("text"), "text cannot be read as bytes");
  static_assert(sql::KindOf<std::vector<std::byte>>() == Kind::kBlob &&
                sql::KindOf<std::span<const std::byte>>() == Kind::kBlob &&
                sql::KindOf<std::array<int, 2>>() == Kind::kArray);
}

TEST(TypesTest, DurationsOfAbseil) {
  ExpectKept(absl::Nanoseconds(-1), Value::Interval("PT-0.000000001S"));
  ExpectKept(absl::Hours(2), Value::Interval("PT7200S"));
  EXPECT_EQ(Value(absl::Hours(24) * 365 * 1000), Value::Interval("PT31536000000S"));
  EXPECT_EQ(Value(absl::Seconds(std::numeric_limits<int64_t>::min())),
            Value::Interval("PT-9223372036854775808S"));
  EXPECT_FALSE(Value(absl::Nanoseconds(1) / 4).status().ok());
  EXPECT_FALSE(Value(absl::InfiniteDuration()).status().ok());
  EXPECT_FALSE(Value(-absl::InfiniteDuration()).status().ok());
  ExpectRefused<absl::Duration>(Value::Interval("P1M"), "years, months or days");
  static_assert(sql::KindOf<absl::Duration>() == Kind::kInterval);
}

TEST(TypesTest, DurationsOfFloatingPointAreThoseOfOneNanosecond) {
  using Seconds = std::chrono::duration<double>;
  Seconds seconds{};
  EXPECT_EQ(Convert(Value::Interval("PT0.1S"), &seconds), absl::OkStatus());
  EXPECT_EQ(seconds.count(), 0.1);
  ExpectRefused<Seconds>(Value::Interval("PT9000000000.000000001S"), "it would be rounded");
}

TEST(TypesTest, EnumerationsOfCharacters) {
  ExpectKept(Letter::kA, Value(97));
  ExpectRefused<Letter>(Value(300), "out of range");
  ExpectRefused<Letter>(Value("a"), "text cannot be read");
}

TEST(TypesTest, AStringViewIsGoodAsLongAsItsValue) {
  const Value text("text");
  std::string_view view;
  EXPECT_EQ(Convert(text, &view), absl::OkStatus());
  EXPECT_EQ(view.data(), text.text().data());
  ExpectRefused<std::string_view>(Value(1), "integer");
}

}  // namespace
}  // namespace penstock
