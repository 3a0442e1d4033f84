#include "server/config/units.h"

#include <chrono>
#include <string>
#include <tuple>

#include "gtest/gtest.h"

namespace penstock::server {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

TEST(UnitsTest, DurationsAreRead) {
  const std::tuple<const char*, Milliseconds> table[] = {
      {"0", Milliseconds(0)},        {"0s", Milliseconds(0)},   {"500ms", Milliseconds(500)},
      {"10s", Milliseconds(10'000)}, {"5m", minutes(5)},        {"1h", hours(1)},
      {"1h30m", minutes(90)},        {"87600h", hours(87'600)},
  };
  for (const auto& [text, expected] : table) {
    const auto duration = ParseDuration(text);
    ASSERT_TRUE(duration.ok()) << text << ": " << duration.status();
    EXPECT_EQ(*duration, expected) << text;
  }
}

TEST(UnitsTest, WrongDurationsSayWhatToWrite) {
  const std::string form = " is not a duration; write one like 500ms, 10s, 5m or 1h";
  const std::tuple<const char*, std::string> table[] = {
      {"", "''" + form},
      {"s", "'s'" + form},
      {"-1s", "'-1s'" + form},
      {"1.5s", "'1.5s'" + form},
      {"1 s", "'1 s'" + form},
      {"10S", "'10S'" + form},
      {"10days", "'10days'" + form},
      {"10", "'10' has no unit; write 10s or 10ms"},
      {"1m30", "'1m30' has no unit; write 30s or 30ms"},
      {"87601h", "'87601h' is longer than ten years; shorten it"},
      {"87600h1ms", "'87600h1ms' is longer than ten years; shorten it"},
      {"18446744073709551615h", "'18446744073709551615h' is longer than ten years; shorten it"},
      {"99999999999999999999s", "'99999999999999999999s'" + form},
  };
  for (const auto& [text, expected] : table) {
    EXPECT_EQ(ParseDuration(text).status().message(), expected) << text;
  }
}

TEST(UnitsTest, SizesAreRead) {
  const std::tuple<const char*, size_t> table[] = {
      {"0", 0},
      {"4096", 4096},
      {"256KiB", size_t{256} << 10},
      {"64MiB", size_t{64} << 20},
      {"2GiB", size_t{2} << 30},
      {"18446744073709551615", ~size_t{0}},
  };
  for (const auto& [text, expected] : table) {
    const auto size = ParseSize(text);
    ASSERT_TRUE(size.ok()) << text << ": " << size.status();
    EXPECT_EQ(*size, expected) << text;
  }
}

TEST(UnitsTest, WrongSizesSayWhatToWrite) {
  for (const std::string text : {"", "MiB", "-1", "1MB", "1mib", "1 MiB", "1.5GiB", "0x10",
                                 "18446744073709551616", "18446744073709551615KiB"}) {
    EXPECT_EQ(ParseSize(text).status().message(),
              "'" + text + "' is not a size; write one like 4096 (bytes), 256KiB or 64MiB");
  }
}

TEST(UnitsTest, PrintsInTheLargestUnitThatDivides) {
  EXPECT_EQ(FormatDuration(Milliseconds(0)), "0");
  EXPECT_EQ(FormatDuration(Milliseconds(1'500)), "1500ms");
  EXPECT_EQ(FormatDuration(Milliseconds(90'000)), "90s");
  EXPECT_EQ(FormatDuration(hours(1)), "1h");
  EXPECT_EQ(FormatSize(0), "0");
  EXPECT_EQ(FormatSize(1'000), "1000");
  EXPECT_EQ(FormatSize(size_t{1536} << 10), "1536KiB");
  EXPECT_EQ(FormatSize(size_t{1} << 30), "1GiB");
}

}  // namespace
}  // namespace penstock::server
