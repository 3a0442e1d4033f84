// Options of drivers, each type of them.
#include "drivers/api/option.h"

#include <map>
#include <string>
#include <string_view>

#include "drivers/api/error.h"
#include "gtest/gtest.h"

namespace penstock::driver {
namespace {

using enum Option::Type;

constexpr std::string_view kModes[] = {"a", "b", "c"};
constexpr std::string_view kLogs[] = {"wal"};
constexpr Option kKnown[] = {
    {.name = "name", .help = "what it is called"},
    {.name = "size", .type = kNumber, .fallback = "5", .help = "in rows", .min = -2, .max = 7},
    {.name = "pages", .type = kNumber, .help = "in all", .max = 9},
    {.name = "check", .type = kSwitch, .fallback = "on", .help = "looks"},
    {.name = "mode", .type = kChoice, .fallback = "a", .help = "how", .words = kModes},
    {.name = "log", .type = kChoice, .fallback = "wal", .help = "which", .words = kLogs}};

std::string Mistake(const std::string& name, const std::string& value) {
  const absl::Status status = CheckOption("toy", kKnown, name, value);
  if (status.ok()) return {};
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return std::string(status.message());
}

TEST(OptionTest, DefaultsHoldUntilSomethingIsSaid) {
  const auto none = OptionValues::Read("toy", kKnown, {});
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(none->Text("name"), "");
  EXPECT_EQ(none->Number("size"), 5);
  EXPECT_EQ(none->Number("pages"), 0);
  EXPECT_TRUE(none->Switch("check"));
  EXPECT_EQ(none->Text("mode"), "a");
  const auto said = OptionValues::Read(
      "toy", kKnown, {{"name", "x"}, {"size", "-2"}, {"check", "no"}, {"mode", "c"}});
  ASSERT_TRUE(said.ok()) << said.status();
  EXPECT_EQ(said->Text("name"), "x");
  EXPECT_EQ(said->Number("size"), -2);
  EXPECT_FALSE(said->Switch("check"));
  EXPECT_EQ(said->Text("mode"), "c");
}

TEST(OptionTest, EachTypeSaysWhatItExpects) {
  EXPECT_EQ(Mistake("size", "8"), "option size: expected a number from -2 to 7, not '8'");
  EXPECT_EQ(Mistake("size", "-3"), "option size: expected a number from -2 to 7, not '-3'");
  EXPECT_EQ(Mistake("size", "1s"), "option size: expected a number from -2 to 7, not '1s'");
  EXPECT_EQ(Mistake("size", ""), "option size: expected a number from -2 to 7, not ''");
  EXPECT_EQ(Mistake("size", "99999999999999999999"),
            "option size: expected a number from -2 to 7, not '99999999999999999999'");
  EXPECT_EQ(Mistake("check", "maybe"), "option check: expected on or off, not 'maybe'");
  EXPECT_EQ(Mistake("mode", "d"), "option mode: expected a, b or c, not 'd'");
  EXPECT_EQ(Mistake("log", "off"), "option log: expected only wal, not 'off'");
  for (const char* word : {"on", "off", "true", "false", "yes", "no"}) {
    EXPECT_EQ(Mistake("check", word), "");
  }
  EXPECT_EQ(Mistake("name", std::string(1000, 'x')), "");
  EXPECT_EQ(GetErrorInfo(CheckOption("toy", kKnown, "size", "8")).hint,
            "correct the value; the option sets: in rows");
}

TEST(OptionTest, UnknownNamesAreToldTheKnown) {
  EXPECT_EQ(Mistake("sise", "8"),
            "option sise: toy has no such option; it has name, size, pages, check, mode and log");
  const absl::Status none = CheckOption("toy", {}, "sise", "8");
  EXPECT_EQ(none.message(), "option sise: toy has no options");
  EXPECT_EQ(OptionValues::Read("toy", kKnown, {{"sise", "8"}}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(OptionTest, ALongValueIsShownInPart) {
  EXPECT_EQ(Mistake("mode", std::string(1000, 'x')),
            "option mode: expected a, b or c, not '" + std::string(80, 'x') + "'");
}

}  // namespace
}  // namespace penstock::driver
