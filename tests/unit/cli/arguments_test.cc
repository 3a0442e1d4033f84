#include "client/cli/arguments.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace penstock::cli {
namespace {

using ::testing::HasSubstr;

Value Parsed(std::string_view text) {
  absl::StatusOr<Value> value = ParseArgument(text);
  EXPECT_TRUE(value.ok()) << value.status();
  return value.ok() ? *value : Value("refused");
}

TEST(Argument, AnIntegerWhereItReadsAsOne) {
  EXPECT_EQ(Parsed("42"), Value(42));
  EXPECT_EQ(Parsed("-7"), Value(-7));
  EXPECT_EQ(Parsed("0"), Value(0));
  EXPECT_EQ(Parsed("9223372036854775807"), Value(std::numeric_limits<int64_t>::max()));
  EXPECT_EQ(Parsed("-9223372036854775808"), Value(std::numeric_limits<int64_t>::min()));
}

// What is not printed back to the byte keeps its bytes.
TEST(Argument, ElseText) {
  for (const char* text : {"",
                           "-",
                           "007",
                           "01234",
                           "00",
                           "-0",
                           "-01",
                           "+5",
                           "--5",
                           " 5",
                           "5 ",
                           "5\n",
                           "\t5",
                           "0x10",
                           "0b1",
                           "1_000",
                           "1,000",
                           "1.5",
                           "1.",
                           ".5",
                           "-.5",
                           "1e5",
                           "1E5",
                           "NaN",
                           "inf",
                           "-inf",
                           "Infinity",
                           "true",
                           "false",
                           "null",
                           "NULL",
                           "9223372036854775808",
                           "-9223372036854775809",
                           "99999999999999999999999999",
                           "٤٢",
                           "Ada",
                           "http://x",
                           "file:x",
                           "@x",
                           "[]",
                           "[1,2]",
                           "{}",
                           "\"5\"",
                           "'5'",
                           "%%",
                           "++",
                           "Int:5",
                           "int"}) {
    EXPECT_EQ(Parsed(text), Value(text));
  }
}

TEST(Argument, APrefixSaysTheKind) {
  EXPECT_EQ(Parsed("int:-42"), Value(-42));
  EXPECT_EQ(Parsed("real:1.5"), Value(1.5));
  EXPECT_EQ(Parsed("int:007"), Value(7));
  EXPECT_EQ(Parsed("real:-inf"), Value(-INFINITY));
  EXPECT_EQ(Parsed("real:Infinity"), Value(INFINITY));
  EXPECT_TRUE(std::isnan(Parsed("real:NaN").real()));
  EXPECT_EQ(Parsed("real:1e5"), Value(1e5));
  EXPECT_EQ(Parsed("real:0e999"), Value(0.0));
  EXPECT_EQ(Parsed("real:5e-324"), Value(5e-324));
  EXPECT_EQ(Parsed("text:[1,2]"), Value("[1,2]"));
  EXPECT_EQ(Parsed("bool:true"), Value(true));
  EXPECT_EQ(Parsed("bool:false"), Value(false));
  EXPECT_EQ(Parsed("text:42"), Value("42"));
  EXPECT_EQ(Parsed("text:int:1"), Value("int:1"));
  EXPECT_EQ(Parsed("text:"), Value(""));
  EXPECT_EQ(Parsed("json:{\"a\":1}"), Value::Json("{\"a\":1}"));
  EXPECT_EQ(Parsed("decimal:12.50"), Value::Decimal("12.50"));
  EXPECT_EQ(Parsed("blob:C0ffee"), Value(Bytes{"\xc0\xff\xee"}));
  EXPECT_EQ(Parsed("blob:"), Value(Bytes{""}));
  EXPECT_EQ(Parsed("null:"), Value());
}

TEST(Argument, WhatDoesNotSuitItsPrefixIsRefused) {
  for (const char* text : {"int:",       "int:x",       "int:9223372036854775808",
                           "int:+5",     "int: 5",      "int:1.0",
                           "int:1e3",    "real:",       "real:x",
                           "real:1e999", "real:-1e999", "real:1e-999",
                           "real: 1",    "real:1 ",     "real:nan(1)",
                           "real:0x10",  "real:INF",    "bool:",
                           "bool:1",     "bool:TRUE",   "blob:c",
                           "blob:xx",    "null:x"}) {
    EXPECT_EQ(ParseArgument(text).status().code(), absl::StatusCode::kInvalidArgument) << text;
  }
}

TEST(Arguments, TheErrorSaysWhichOne) {
  EXPECT_EQ(ParseArguments({"1", "x"})->size(), 2u);
  const absl::Status status = ParseArguments({"1", "int:x"}).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("parameter $2: \"x\" is not a 64-bit"));
  EXPECT_THAT(std::string(ParseArguments({"\xff"}).status().message()),
              HasSubstr("parameter $1: it is not valid UTF-8"));
}

}  // namespace
}  // namespace penstock::cli
