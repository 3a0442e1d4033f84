#include "drivers/api/text_forms.h"

#include <gtest/gtest.h>

#include <string>

#include "drivers/sqlite_engine/exact.h"
#include "drivers/sqlite_engine/json.h"
#include "text/utf8.h"

namespace penstock::sqlite {
namespace {

using driver::FormatTimestamp;
using driver::IsDate;
using driver::IsDecimal;
using driver::IsInterval;
using driver::IsTime;
using driver::IsUuid;
using driver::ParseTimestamp;
using sqlite_engine::IsJson;
using sqlite_engine::KeepsDecimal;

using namespace std::string_literals;

TEST(IsUtf8, Valid) {
  for (const std::string& text :
       {""s, "plain"s, "eight888"s, "größe"s, "a long line with an € in it"s, "😀"s, "a\0b"s,
        "\xf4\x8f\xbf\xbf"s, "\xed\x9f\xbf"s}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
}

TEST(IsUtf8, Invalid) {
  const std::string ascii(16, 'a');
  for (const std::string& text :
       {"\x80"s, "\xc0\x80"s, "\xc3"s, "\xe0\x9f\xbf"s, "\xed\xa0\x80"s, "\xe2\x82"s,
        "\xf0\x8f\xbf\xbf"s, "\xf4\x90\x80\x80"s, "\xf5\x80\x80\x80"s, "\xff"s}) {
    EXPECT_FALSE(IsUtf8(text)) << testing::PrintToString(text);
    EXPECT_FALSE(IsUtf8(ascii + text)) << testing::PrintToString(text);
    EXPECT_FALSE(IsUtf8(text + ascii)) << testing::PrintToString(text);
  }
}

TEST(Forms, Dates) {
  for (const char* text : {"2024-02-29", "0001-01-01", "9999-12-31"}) EXPECT_TRUE(IsDate(text));
  for (const char* text :
       {"2023-02-29", "0000-01-01", "2024-13-01", "2024-1-1", "2024-01-01 ", "10000-01-01", ""}) {
    EXPECT_FALSE(IsDate(text)) << text;
  }
}

TEST(Forms, Times) {
  for (const char* text : {"00:00:00", "23:59:59.999999999", "12:00:00Z", "12:00:00.5+05:30"}) {
    EXPECT_TRUE(IsTime(text)) << text;
  }
  for (const char* text : {"24:00:00", "12:60:00", "12:00", "12:00:00.", "12:00:00.1234567891",
                           "12:00:00+5", "noon"}) {
    EXPECT_FALSE(IsTime(text)) << text;
  }
}

TEST(Forms, Intervals) {
  for (const char* text : {"P1D", "P1Y2M3W4DT5H6M7.5S", "PT0S", "-P1D", "P-1Y", "PT36H"}) {
    EXPECT_TRUE(IsInterval(text)) << text;
  }
  for (const char* text : {"P", "PT", "P1", "1D", "P1DT", "P1H", "PD", "P1D2Y", "P1.D", "P1Dx"}) {
    EXPECT_FALSE(IsInterval(text)) << text;
  }
}

TEST(Forms, Uuids) {
  EXPECT_TRUE(IsUuid("00112233-4455-6677-8899-aAbBcCdDeEfF"));
  EXPECT_FALSE(IsUuid("00112233445566778899aabbccddeeff"));
  EXPECT_FALSE(IsUuid("00112233-4455-6677-8899-aabbccddeefg"));
  EXPECT_FALSE(IsUuid("00112233-4455-6677-8899-aabbccddeef"));
}

TEST(Forms, Decimals) {
  for (const char* text : {"0", "-12.50", "+1", ".5", "5.", "1e400", "1E-3"}) {
    EXPECT_TRUE(IsDecimal(text)) << text;
  }
  for (const char* text : {"", ".", "-", "1e", "1,5", "NaN", "0x1", " 1"}) {
    EXPECT_FALSE(IsDecimal(text)) << text;
  }
}

TEST(Text, ADecimalHasOnePlainText) {
  const std::pair<std::string, std::string> texts[] = {
      {"0", "0"},
      {"-0", "0"},
      {"-0.00", "0.00"},
      {"+1", "1"},
      {"1.50", "1.50"},
      {"00123", "123"},
      {"000.5", "0.5"},
      {".5", "0.5"},
      {"-.5", "-0.5"},
      {"5.", "5"},
      {"1e4", "10000"},
      {"1E+4", "10000"},
      {"1e-4", "0.0001"},
      {"1.25e1", "12.5"},
      {"1.25e2", "125"},
      {"1.25e3", "1250"},
      {"0e9", "0"},
      {"0e-3", "0.000"},
      {"-1.0e-1", "-0.10"},
      {"0.001e3", "1"},
      {"12e-1", "1.2"},
      {"120e-3", "0.120"},
      {"00e-1", "0.0"},
      {"1e00000000000000000004", "10000"},
      // More digits than a numeric has.
      {"1e200000", "1e200000"},
      {"1e-200000", "1e-200000"},
      {"1e99999999999999999999", "1e99999999999999999999"}};
  for (const auto& [text, plain] : texts) {
    EXPECT_EQ(driver::PlainDecimal(text), plain) << text;
    EXPECT_EQ(driver::IsPlainDecimal(text), text == plain && text.find('e') == std::string::npos)
        << text;
  }
  EXPECT_EQ(driver::PlainDecimal("1e131071").size(), 131'072u);
}

TEST(KeepsDecimal, UpToWhatSqliteRounds) {
  for (const char* text :
       {"0", "0.000", "123456789012345", "0.123456789012345", "9223372036854775807",
        "-9223372036854775808", "+9223372036854775807", "12345678901234500000", "1e15", "-1.50"}) {
    EXPECT_TRUE(KeepsDecimal(text)) << text;
  }
  for (const char* text :
       {"9223372036854775808", "0.1234567890123456", "1e400", "1e-400", "1234567890123456.5"}) {
    EXPECT_FALSE(KeepsDecimal(text)) << text;
  }
}

TEST(Timestamps, Format) {
  EXPECT_EQ(FormatTimestamp(0, 0), "1970-01-01 00:00:00");
  EXPECT_EQ(FormatTimestamp(-1, 500'000'000), "1969-12-31 23:59:59.500");
  EXPECT_EQ(FormatTimestamp(1'709'211'845, 1'000), "2024-02-29 13:04:05.000001");
  EXPECT_EQ(FormatTimestamp(1'709'211'845, 1), "2024-02-29 13:04:05.000000001");
  EXPECT_EQ(FormatTimestamp(-62'135'596'800, 0), "0001-01-01 00:00:00");
  EXPECT_EQ(FormatTimestamp(-62'135'596'801, 0), "");
  EXPECT_EQ(FormatTimestamp(253'402'300'799, 999'999'999), "9999-12-31 23:59:59.999999999");
  EXPECT_EQ(FormatTimestamp(253'402'300'800, 0), "");
}

TEST(Timestamps, Parse) {
  int64_t seconds = 0;
  int32_t nanos = 0;
  ASSERT_TRUE(ParseTimestamp("2024-02-29T13:04:05.25+01:00", &seconds, &nanos));
  EXPECT_EQ(seconds, 1'709'211'845 - 3600);
  EXPECT_EQ(nanos, 250'000'000);
  ASSERT_TRUE(ParseTimestamp("0001-01-01 00:00:00", &seconds, &nanos));
  EXPECT_EQ(seconds, -62'135'596'800);
  for (const char* text :
       {"2024-02-30 00:00:00", "2024-02-29", "2024-02-29 13:04", "2024-02-29 13:04:05 ",
        "0001-01-01 00:00:00+01:00", "9999-12-31 23:59:59-00:01", "now"}) {
    EXPECT_FALSE(ParseTimestamp(text, &seconds, &nanos)) << text;
  }
}

TEST(Timestamps, ParseStored) {
  int64_t seconds = 0;
  int32_t nanos = 0;
  for (const char* text :
       {"2024-02-29 13:04:05", "2024-02-29 13:04:05.250", "2024-02-29 13:04:05.250001",
        "2024-02-29 13:04:05.000000001", "0001-01-01 00:00:00"}) {
    ASSERT_TRUE(driver::ParseStoredTimestamp(text, &seconds, &nanos)) << text;
    EXPECT_EQ(FormatTimestamp(seconds, nanos), text);
  }
  for (const char* text :
       {"2024-02-29T13:04:05", "2024-02-29 13:04:05Z", "2024-02-29 13:04:05.25",
        "2024-02-29 13:04:05.250000", "2024-02-29 13:04:05.000", "2024-02-29 13:04:05.250Z",
        "2024-02-29 13:04:05.12Z", "2024-02-29 13:04:05+00:00", "2024-02-29 13:04:05.",
        "2024-02-29", "2024-02-29 13:04", "2024-02-29 13:04:05.1234567890",
        "2024-02-30 13:04:05"}) {
    EXPECT_FALSE(driver::ParseStoredTimestamp(text, &seconds, &nanos)) << text;
  }
}

TEST(Json, Valid) {
  for (const char* text : {"null", "true", " -0.5e+10 ", "\"a\\u00e9\\n\"", "[]", "[1, [2], {}]",
                           "{\"a\": {\"b\": [false]}, \"a\": 1}", "0"}) {
    EXPECT_TRUE(IsJson(text)) << text;
  }
}

TEST(Json, Invalid) {
  for (const char* text :
       {"",      " ",       "nul",    "01",         "1.",      "-",           "+1",
        ".5",    "'a'",     "\"a",    "\"\t\"",     "\"\\x\"", "\"\\u12g4\"", "[1,]",
        "[1 2]", "{\"a\"}", "{a: 1}", "{\"a\":1,}", "[",       "1 2",         "NaN"}) {
    EXPECT_FALSE(IsJson(text)) << text;
  }
}

TEST(Json, DepthIsLimited) {
  EXPECT_TRUE(IsJson(std::string(1000, '[') + std::string(1000, ']')));
  EXPECT_FALSE(IsJson(std::string(100'000, '[') + std::string(100'000, ']')));
}

}  // namespace
}  // namespace penstock::sqlite
