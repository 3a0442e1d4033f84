#include "server/log/log.h"

#include <algorithm>
#include <limits>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace penstock::server {
namespace {

constexpr char kTime[] =
    "20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9]{3}Z";

// The line with TIME for its time, which stands first in both forms.
std::string WithoutTime(std::string line) {
  constexpr size_t kTimeSize = 24;
  const size_t at = line.starts_with('{') ? std::string_view(R"({"ts":")").size() : 0;
  EXPECT_THAT(line.substr(at, kTimeSize), testing::MatchesRegex(kTime));
  return line.replace(at, kTimeSize, "TIME");
}

class LogTest : public ::testing::Test {
 protected:
  ~LogTest() override { InitLogging({}); }

  // What Log writes, with TIME for the time and without the line's end.
  static std::string Line(std::string_view message, std::initializer_list<Field> fields,
                          Level level = Level::kInfo) {
    testing::internal::CaptureStderr();
    Log(level, message, fields);
    std::string text = testing::internal::GetCapturedStderr();
    if (text.empty()) return text;
    EXPECT_EQ(text.back(), '\n');
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
    text.pop_back();
    return WithoutTime(text);
  }
};

TEST_F(LogTest, Text) {
  InitLogging({.format = "text"});
  EXPECT_EQ(Line("ready", {}), "TIME INFO ready");
  EXPECT_EQ(Line("slow statement",
                 {{"database", "main"},
                  {"duration_ms", 12.5},
                  {"rows", 3},
                  {"cached", true},
                  {"bytes", size_t{18446744073709551615u}},
                  {"delta", int64_t{-1}}},
                 Level::kWarn),
            "TIME WARN slow statement database=main duration_ms=12.5 rows=3 cached=true "
            "bytes=18446744073709551615 delta=-1");
  EXPECT_EQ(Line("m", {{"sql", "select 1"},
                       {"empty", ""},
                       {"quote", "a\"b"},
                       {"eq", "a=b"},
                       {"back", "a\\b"},
                       {"umlaut", "\xc3\xa4"}}),
            "TIME INFO m sql=\"select 1\" empty=\"\" quote=\"a\\\"b\" eq=\"a=b\" back=\"a\\\\b\" "
            "umlaut=\"\xc3\xa4\"");
}

TEST_F(LogTest, Json) {
  InitLogging({.format = "json"});
  EXPECT_EQ(Line("ready", {}), R"({"ts":"TIME","level":"info","msg":"ready"})");
  EXPECT_EQ(Line("slow",
                 {{"database", std::string("ma\"in")},
                  {"ms", 12.5},
                  {"n", -3},
                  {"ok", false},
                  {"nan", std::numeric_limits<double>::quiet_NaN()}},
                 Level::kError),
            R"({"ts":"TIME","level":"error","msg":"slow","database":"ma\"in","ms":12.5,"n":-3,)"
            R"("ok":false,"nan":"nan"})");
}

// What a client sends must not look like a line, a field or a terminal command of ours.
TEST_F(LogTest, NothingForgesALine) {
  const std::string evil =
      "a\nb\r\tc\x1b[2J\x7f\xc2\x9b\xe2\x80\xa8\xff\xc0\xaf\xed\xa0\x80" + std::string(1, '\0');
  const std::string escaped =
      "a\\nb\\u000d\\tc\\u001b[2J\\u007f\\u009b\\u2028\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd"
      "\\u0000";
  InitLogging({.format = "text"});
  EXPECT_EQ(Line(evil, {{"sql", evil}}), "TIME INFO " + escaped + " sql=\"" + escaped + "\"");
  InitLogging({.format = "json"});
  EXPECT_EQ(Line(evil, {{"sql", evil}}), "{\"ts\":\"TIME\",\"level\":\"info\",\"msg\":\"" +
                                             escaped + "\",\"sql\":\"" + escaped + "\"}");
}

TEST_F(LogTest, PatternCharactersAreText) {
  InitLogging({.format = "text"});
  EXPECT_EQ(Line("%v {} %Y", {{"a", "%l{}"}}), "TIME INFO %v {} %Y a=%l{}");
}

TEST_F(LogTest, Levels) {
  const char* const names[] = {"trace", "debug", "info", "warn", "error", "off"};
  for (int least = 0; least <= 5; ++least) {
    InitLogging({.level = names[least]});
    for (int level = 0; level < 5; ++level) {
      EXPECT_EQ(LogEnabled(static_cast<Level>(level)), level >= least);
      EXPECT_EQ(Line("m", {}, static_cast<Level>(level)).empty(), level < least);
    }
  }
}

TEST_F(LogTest, LinesOfManyThreadsStayWhole) {
  InitLogging({.format = "json"});
  constexpr int kThreads = 4;
  constexpr int kLines = 500;
  testing::internal::CaptureStderr();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([t] {
      for (int i = 0; i < kLines; ++i) Log(Level::kInfo, "m", {{"thread", t}, {"i", i}});
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::istringstream text(testing::internal::GetCapturedStderr());
  std::multiset<std::string> written;
  for (std::string line; std::getline(text, line);) written.insert(WithoutTime(line));
  std::multiset<std::string> expected;
  for (int t = 0; t < kThreads; ++t) {
    for (int i = 0; i < kLines; ++i) {
      expected.insert(
          fmt::format(R"({{"ts":"TIME","level":"info","msg":"m","thread":{},"i":{}}})", t, i));
    }
  }
  EXPECT_EQ(written, expected);
}

}  // namespace
}  // namespace penstock::server
