#include "client/cli/encode.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace penstock::cli {
namespace {

using std::literals::string_view_literals::operator""sv;

template <typename Append>
std::string Appended(Append append, std::string_view text) {
  std::string out = "<";
  append(text, &out);
  return out;
}

TEST(Printable, LeavesTextAlone) {
  EXPECT_EQ(Appended(AppendPrintable, "Zürich 日本 'x' \"y\""), "<Zürich 日本 'x' \"y\"");
}

TEST(Printable, SpellsOutWhatMovesTheCursor) {
  EXPECT_EQ(Appended(AppendPrintable, "a\nb\tc\rd"), "<a\\nb\\tc\\rd");
  EXPECT_EQ(Appended(AppendPrintable, "\x1b[2J"), "<\\u{1b}[2J");
  EXPECT_EQ(Appended(AppendPrintable, "\b\x7f"), "<\\u{8}\\u{7f}");
  EXPECT_EQ(Appended(AppendPrintable, "\0z"sv), "<\\0z");
  // The one-character form of ESC [, the line separator, a direction override.
  EXPECT_EQ(Appended(AppendPrintable, "\u009b\u2028\u202e"), "<\\u{9b}\\u{2028}\\u{202e}");
}

TEST(Printable, IsNotAmbiguous) {
  EXPECT_EQ(Appended(AppendPrintable, "\\n"), "<\\\\n");
  EXPECT_EQ(Appended(AppendPrintable, "\\x00"), "<\\\\x00");
}

TEST(Printable, ShowsBrokenBytes) {
  EXPECT_EQ(Appended(AppendPrintable, "a\xff\xc3"), "<a\\xff\\xc3");
}

TEST(Hex, TwoDigitsForEachByte) {
  EXPECT_EQ(Appended(AppendHex, "\x00\x0f\xa0\xff"sv), "<\\x000fa0ff");
  EXPECT_EQ(Appended(AppendHex, ""), "<\\x");
}

TEST(Base64, Pads) {
  EXPECT_EQ(Appended(AppendBase64, ""), "<");
  EXPECT_EQ(Appended(AppendBase64, "f"), "<Zg==");
  EXPECT_EQ(Appended(AppendBase64, "foobar"), "<Zm9vYmFy");
  EXPECT_EQ(Appended(AppendBase64, "\xfb\xff\xfe"), "<+//+");
}

TEST(JsonString, EscapesWhatJsonDemands) {
  EXPECT_EQ(Appended(AppendJsonString, ""), "<\"\"");
  EXPECT_EQ(Appended(AppendJsonString, "say \"hi\"\\\n\t\r\b\f"),
            "<\"say \\\"hi\\\"\\\\\\n\\t\\r\\b\\f\"");
  EXPECT_EQ(Appended(AppendJsonString, "\0\x1b\x7f"sv), "<\"\\u0000\\u001b\\u007f\"");
  EXPECT_EQ(Appended(AppendJsonString, "日😀/"), "<\"日😀/\"");
}

TEST(JsonString, ReplacesBrokenBytes) {
  EXPECT_EQ(Appended(AppendJsonString, "a\xff!"), "<\"a\uFFFD!\"");
}

std::string CsvField(std::string_view text, bool quoted = false) {
  std::string out = "<";
  AppendCsvField(text, quoted, &out);
  return out;
}

TEST(CsvField, QuotesWhereNeeded) {
  EXPECT_EQ(CsvField("plain text"), "<plain text");
  EXPECT_EQ(CsvField("a,b"), "<\"a,b\"");
  EXPECT_EQ(CsvField("say \"hi\""), "<\"say \"\"hi\"\"\"");
  EXPECT_EQ(CsvField("two\nlines"), "<\"two\nlines\"");
  EXPECT_EQ(CsvField("cr\r"), "<\"cr\r\"");
  EXPECT_EQ(CsvField(" a"), "<\" a\"");
  EXPECT_EQ(CsvField("a\t"), "<\"a\t\"");
  EXPECT_EQ(CsvField(""), "<");
  EXPECT_EQ(CsvField("", true), "<\"\"");
  EXPECT_EQ(CsvField("x", true), "<\"x\"");
}

}  // namespace
}  // namespace penstock::cli
