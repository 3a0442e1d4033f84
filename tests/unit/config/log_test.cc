#include "server/log/log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
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
    FlushLog(std::chrono::seconds(10));
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

TEST_F(LogTest, LongValuesAreCut) {
  InitLogging({.format = "text"});
  const std::string line = Line("long", {{"sql", std::string(1'000'000, 'x')}, {"after", 1}});
  EXPECT_LT(line.size(), 10'000u);
  EXPECT_THAT(line, testing::EndsWith("x… (1000000 bytes)\" after=1"));
}

// One kind does not fill the log, what is left out is counted, and others are not touched.
TEST_F(LogTest, AFloodOfOneKindIsCounted) {
  InitLogging({.format = "json"});
  testing::internal::CaptureStderr();
  constexpr int kFlood = 20'000;
  for (int i = 0; i < kFlood; ++i) Log(Level::kWarn, "flood", {{"i", i}});
  Log(Level::kInfo, "another");
  FlushLog(std::chrono::seconds(10));
  std::istringstream text(testing::internal::GetCapturedStderr());
  int written = 0;
  int64_t left_out = 0;
  bool other = false;
  for (std::string line; std::getline(text, line);) {
    if (line.find(R"("msg":"flood")") != std::string::npos) ++written;
    if (line.find(R"("msg":"another")") != std::string::npos) other = true;
    for (const std::string_view key : {R"("left_out":)", R"("kind":"flood","lines":)"}) {
      const size_t at = line.find(key);
      if (at != std::string::npos) left_out += std::stoll(line.substr(at + key.size()));
    }
  }
  EXPECT_GE(written, 100);
  EXPECT_LT(written, 1000);
  EXPECT_EQ(written + left_out, kFlood);
  EXPECT_TRUE(other);
}

TEST_F(LogTest, WhyItEndsIsSaidAtEveryLevel) {
  InitLogging({.level = "off", .format = "json"});
  testing::internal::CaptureStderr();
  LogFatal("first: \"a\"\nsecond");
  FlushLog(std::chrono::seconds(10));
  std::istringstream text(testing::internal::GetCapturedStderr());
  std::string line;
  ASSERT_TRUE(std::getline(text, line));
  EXPECT_EQ(WithoutTime(line), R"({"ts":"TIME","level":"error","msg":"first: \"a\""})");
  ASSERT_TRUE(std::getline(text, line));
  EXPECT_EQ(WithoutTime(line), R"({"ts":"TIME","level":"error","msg":"second"})");
  InitLogging({.level = "off", .format = "text"});
  testing::internal::CaptureStderr();
  LogFatal("first\nsecond");
  FlushLog(std::chrono::seconds(10));
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "penstockd: first\nsecond\n");
}

// Whoever logs goes on, the end waits for so long and no longer, and what was lost is told.
TEST_F(LogTest, AReaderThatTakesNothingHoldsNobodyUp) {
  InitLogging({.format = "text"});
  int pipe_fds[2];
  ASSERT_EQ(pipe2(pipe_fds, O_CLOEXEC), 0);
  const int before = dup(STDERR_FILENO);
  ASSERT_GE(dup2(pipe_fds[1], STDERR_FILENO), 0);
  const std::string value(8000, 'x');
  for (int i = 0; i < 1000; ++i) Log(Level::kInfo, fmt::format("n{}", i % 100), {{"v", value}});
  FlushLog(std::chrono::milliseconds(50));
  close(pipe_fds[1]);
  std::string text;
  std::thread reader([&] {
    char buffer[65536];
    for (ssize_t count; (count = read(pipe_fds[0], buffer, sizeof(buffer))) > 0;) {
      text.append(buffer, static_cast<size_t>(count));
    }
  });
  FlushLog(std::chrono::seconds(30));
  dup2(before, STDERR_FILENO);
  close(before);
  reader.join();
  close(pipe_fds[0]);
  // The writer tells it with each piece that it takes, and may have taken one in between.
  const std::string told = "log lines were dropped: nobody read them lines=";
  int64_t dropped = 0;
  int64_t tellings = 0;
  for (size_t at = 0; (at = text.find(told, at)) != std::string::npos; ++tellings) {
    at += told.size();
    dropped += std::stoll(text.substr(at, 20));
  }
  EXPECT_GT(dropped, 0);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n') - tellings + dropped, 1000);
}

TEST_F(LogTest, LinesOfManyThreadsStayWhole) {
  InitLogging({.format = "json"});
  constexpr int kThreads = 4;
  constexpr int kLines = 500;
  testing::internal::CaptureStderr();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([t] {
      // Few enough of a kind.
      for (int i = 0; i < kLines; ++i) {
        Log(Level::kInfo, fmt::format("m{}", i % 50), {{"thread", t}, {"i", i}});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  FlushLog(std::chrono::seconds(10));
  std::istringstream text(testing::internal::GetCapturedStderr());
  std::multiset<std::string> written;
  for (std::string line; std::getline(text, line);) written.insert(WithoutTime(line));
  std::multiset<std::string> expected;
  for (int t = 0; t < kThreads; ++t) {
    for (int i = 0; i < kLines; ++i) {
      expected.insert(fmt::format(
          R"({{"ts":"TIME","level":"info","msg":"m{}","thread":{},"i":{}}})", i % 50, t, i));
    }
  }
  EXPECT_EQ(written, expected);
}

}  // namespace
}  // namespace penstock::server
