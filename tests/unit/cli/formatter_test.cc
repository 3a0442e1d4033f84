#include "client/cli/formatter.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "client/cli/value_text.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace penstock::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Rows = std::vector<std::vector<Value>>;

std::string Formatted(OutputFormat format, const std::vector<std::string>& columns,
                      const Rows& rows, const std::optional<std::string>& csv_null = {}) {
  std::string out;
  const std::unique_ptr<Formatter> formatter =
      MakeFormatter({.format = format, .csv_null = csv_null}, &out);
  formatter->Begin(columns);
  for (const std::vector<Value>& row : rows) formatter->Row(row);
  formatter->End();
  return out;
}

std::string Json(const Value& value) {
  std::string out;
  AppendJson(value, &out);
  return out;
}

// 2024-02-29T12:30:45.000001Z.
Value SomeTime() { return Value(absl::FromUnixSeconds(1709209845) + absl::Microseconds(1)); }

TEST(PlainText, OfEveryKind) {
  EXPECT_EQ(PlainText(Value()), "");
  EXPECT_EQ(PlainText(Value(true)), "true");
  EXPECT_EQ(PlainText(Value(std::numeric_limits<int64_t>::min())), "-9223372036854775808");
  EXPECT_EQ(PlainText(Value(0.1)), "0.1");
  EXPECT_EQ(PlainText(Value(3.0)), "3.0");
  EXPECT_EQ(PlainText(Value(1e300)), "1e+300");
  EXPECT_EQ(PlainText(Value(-INFINITY)), "-Infinity");
  EXPECT_EQ(PlainText(Value(NAN)), "NaN");
  EXPECT_EQ(PlainText(Value("a\nb")), "a\nb");
  EXPECT_EQ(PlainText(Value(Bytes{"\x01\xff"})), "\\x01ff");
  EXPECT_EQ(PlainText(Value::Decimal("12.50")), "12.50");
  EXPECT_EQ(PlainText(SomeTime()), "2024-02-29T12:30:45.000001Z");
  EXPECT_EQ(PlainText(Value::Array({Value(1), Value(), Value("x")})), "[1, null, \"x\"]");
}

TEST(Json, OfEveryKind) {
  EXPECT_EQ(Json(Value()), "null");
  EXPECT_EQ(Json(Value(false)), "false");
  EXPECT_EQ(Json(Value(std::numeric_limits<int64_t>::max())), "9223372036854775807");
  EXPECT_EQ(Json(Value(0.1)), "0.1");
  EXPECT_EQ(Json(Value(3.0)), "3.0");
  EXPECT_EQ(Json(Value(INFINITY)), "{\"real\": \"Infinity\"}");
  EXPECT_EQ(Json(Value(NAN)), "{\"real\": \"NaN\"}");
  EXPECT_EQ(Json(Value("a\"b\n")), "\"a\\\"b\\n\"");
  EXPECT_EQ(Json(Value(Bytes{"\x01\xff"})), "{\"base64\": \"Af8=\"}");
  EXPECT_EQ(Json(Value::Decimal("12.50")), "\"12.50\"");
  EXPECT_EQ(Json(SomeTime()), "\"2024-02-29T12:30:45.000001Z\"");
  EXPECT_EQ(Json(Value::Json("{\"a\":1}")), "\"{\\\"a\\\":1}\"");
  EXPECT_EQ(Json(Value::Array({Value::Array({}), Value()})), "[[], null]");
}

TEST(Table, AlignsByDisplayWidth) {
  EXPECT_EQ(Formatted(OutputFormat::kTable, {"id", "name", "note"},
                      {{Value(1), Value("日本"), Value("x")},
                       {Value(-10), Value("u\u0308ber"), Value()},
                       {Value(), Value(""), Value(Bytes{"\xff"})}}),
            " id   | name | note\n"
            "------+------+------\n"
            "    1 | 日本 | x\n"
            "  -10 | u\u0308ber | NULL\n"
            " NULL |      | \\xff\n"
            "(3 rows)\n");
}

TEST(Table, CountsItsRows) {
  EXPECT_EQ(Formatted(OutputFormat::kTable, {"n"}, {}), " n\n---\n(0 rows)\n");
  EXPECT_THAT(Formatted(OutputFormat::kTable, {"n"}, {{Value(1)}}), EndsWith("\n(1 row)\n"));
}

TEST(Table, TellsNullFromText) {
  EXPECT_EQ(CellText(Value()), "NULL");
  EXPECT_EQ(CellText(Value("NULL")), "'NULL'");
  EXPECT_EQ(CellText(Value("'NULL'")), "''NULL''");
  EXPECT_EQ(CellText(Value("NULLs")), "NULLs");
  EXPECT_EQ(CellText(Value("\\xff")), "\\\\xff");
}

TEST(Table, DataCannotMoveTheCursor) {
  const std::string out = Formatted(OutputFormat::kTable, {"a\x1b[1m"}, {{Value("\x1b[2J\n")}});
  EXPECT_EQ(out.find('\x1b'), std::string::npos);
  EXPECT_THAT(out, HasSubstr("\\u{1b}[2J\\n"));
  EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 4);
}

TEST(Table, MeasuresAThousandRowsAndStreamsTheRest) {
  std::string out;
  const std::unique_ptr<Formatter> table = MakeFormatter(Options(), &out);
  table->Begin({"a", "b"});
  const std::vector<Value> row = {Value("xx"), Value(7)};
  for (int i = 0; i < 999; ++i) table->Row(row);
  EXPECT_EQ(out, "");
  table->Row(row);
  EXPECT_THAT(out, StartsWith(" a  | b\n----+---\n xx | 7\n"));
  out.clear();
  table->Row(std::vector<Value>{Value("wider"), Value(8)});
  EXPECT_EQ(out, " wider | 8\n");
  out.clear();
  table->End();
  EXPECT_EQ(out, "(1001 rows)\n");
}

TEST(Table, HoldsFewLargeRows) {
  std::string out;
  const std::unique_ptr<Formatter> table = MakeFormatter(Options(), &out);
  table->Begin({"a"});
  const std::vector<Value> row = {Value(std::string(1 << 20, 'x'))};
  for (int i = 0; i < 4; ++i) table->Row(row);
  EXPECT_GT(out.size(), size_t{4} << 20);
}

TEST(Csv, TellsNullFromEmptyText) {
  EXPECT_EQ(
      Formatted(OutputFormat::kCsv, {"a", "b,c", "d"},
                {{Value(1), Value(), Value("")}, {Value("q\"q"), Value("x\ny"), Value(Bytes{""})}}),
      "a,\"b,c\",d\r\n"
      "1,,\"\"\r\n"
      "\"q\"\"q\",\"x\ny\",\\x\r\n");
}

TEST(Csv, OneColumnHasNoEmptyLine) {
  EXPECT_EQ(Formatted(OutputFormat::kCsv, {"a"}, {{Value()}, {Value("")}, {Value("\\N")}}),
            "a\r\n\\N\r\n\"\"\r\n\"\\N\"\r\n");
  EXPECT_EQ(Formatted(OutputFormat::kCsv, {""}, {}), "\"\"\r\n");
  EXPECT_EQ(Formatted(OutputFormat::kCsv, {"a", "b"}, {{Value("\\N"), Value()}}),
            "a,b\r\n\\N,\r\n");
}

TEST(Csv, NullIsWhatTheUserSays) {
  EXPECT_EQ(Formatted(OutputFormat::kCsv, {"a", "b"},
                      {{Value(), Value("NULL")}, {Value(""), Value("NULLs")}}, "NULL"),
            "a,b\r\nNULL,\"NULL\"\r\n\"\",NULLs\r\n");
}

TEST(Csv, TellsBlobsFromText) {
  EXPECT_EQ(Formatted(OutputFormat::kCsv, {"a", "b"},
                      {{Value(Bytes{"\xff"}), Value("\\xff")}, {Value("x"), Value("\\.")}}),
            "a,b\r\n\\xff,\"\\xff\"\r\nx,\"\\.\"\r\n");
}

TEST(JsonRows, AnObjectARow) {
  EXPECT_EQ(Formatted(OutputFormat::kJson, {"id", "na\"me"},
                      {{Value(1), Value("é")}, {Value(), Value(1.5)}}),
            "[\n {\"id\": 1, \"na\\\"me\": \"é\"},\n {\"id\": null, \"na\\\"me\": 1.5}\n]\n");
  EXPECT_EQ(Formatted(OutputFormat::kJson, {"id"}, {}), "[]\n");
}

TEST(JsonRows, NamesThatOccurAgain) {
  EXPECT_EQ(Formatted(OutputFormat::kJson, {"a", "a", "a_2", "a"},
                      {{Value(1), Value(2), Value(3), Value(4)}}),
            "[\n {\"a\": 1, \"a_3\": 2, \"a_2\": 3, \"a_4\": 4}\n]\n");
}

TEST(JsonRows, ABrokenOffResultIsNotAWholeArray) {
  std::string out;
  const std::unique_ptr<Formatter> json = MakeFormatter({.format = OutputFormat::kJson}, &out);
  json->Begin({"a"});
  json->Row(std::vector<Value>{Value(1)});
  EXPECT_EQ(out, "[\n {\"a\": 1}");
}

}  // namespace
}  // namespace penstock::cli
