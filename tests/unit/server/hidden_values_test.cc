// What is taken out of an error: values, wherever they stand, and nothing else.
#include "drivers/api/hidden_values.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace penstock::driver {
namespace {

std::string Hide(std::string_view text, std::vector<Value> args, std::string_view sql = "",
                 std::vector<std::string_view> names = {}, bool parts = false) {
  return ParameterValues(args).Hide(text, sql, names, parts);
}

TEST(HiddenValuesTest, AValueGoesInAnyQuotesAndWithout) {
  const std::vector<Value> args = {Value::Integer(7), Value::Text("hunter2")};
  for (const auto& [text, shown] : std::vector<std::pair<std::string, std::string>>{
           {"no integer: \"hunter2\"", "no integer: \"$2\""},
           {"keine Zahl: »hunter2«", "keine Zahl: »$2«"},
           {"pas un entier : « hunter2 »", "pas un entier : « $2 »"},
           {"整数「hunter2」", "整数「$2」"},
           {"user hunter2 is not there", "user $2 is not there"},
           {"hunter2", "$2"},
           {"Key (name)=(hunter2) already exists.", "Key (name)=($2) already exists."},
           {"Key (a, b)=(7, hunter2) exists", "Key (a, b)=($1, $2) exists"},
           {"zone \"HUNTER2\" not recognized", "zone \"$2\" not recognized"},
           {"no user 7.", "no user $1."},
           {"hunter23 and xhunter2 and 77 are others", "hunter23 and xhunter2 and 77 are others"},
       }) {
    EXPECT_EQ(Hide(text, args), shown);
  }
}

TEST(HiddenValuesTest, AShortWordIsNotTornOutOfASentence) {
  const std::vector<Value> args = {Value::Text("a"), Value::Text("the"), Value::Text("id")};
  EXPECT_EQ(Hide("the key is a key", args), "the key is a key");
  EXPECT_EQ(Hide("Key (a, id)=(a, the) exists", args), "Key (a, id)=($1, $2) exists");
  EXPECT_EQ(Hide("value \"a\" is wrong", args), "value \"$1\" is wrong");
}

TEST(HiddenValuesTest, NamesStay) {
  const std::vector<Value> args = {Value::Text("users"), Value::Text("name")};
  EXPECT_EQ(Hide("column \"name\" of relation \"users\"", args, "", {"users", "name"}),
            "column \"name\" of relation \"users\"");
  EXPECT_EQ(Hide("column \"name\" of relation \"users\"", args, ""),
            "column \"$2\" of relation \"$1\"");
}

TEST(HiddenValuesTest, OfAClippedOneItsBeginningGoes) {
  const std::string secret = "correct horse battery staple, and then as much again";
  EXPECT_EQ(Hide("row (1, correct horse battery staple, an...)", {Value::Text(secret)}),
            "row (1, $1...)");
  EXPECT_EQ(Hide("correct horse", {Value::Text(secret)}), "correct horse");
}

TEST(HiddenValuesTest, EveryKindHasItsTexts) {
  EXPECT_EQ(Hide("(1.5)", {Value::Real(1.5)}), "($1)");
  EXPECT_EQ(Hide("(12.50)", {Value::Of(Kind::kDecimal, "12.50")}), "($1)");
  EXPECT_EQ(Hide("(\\x6162ff)", {Value::Blob("ab\xff")}), "($1)");
  EXPECT_EQ(Hide("(2024-02-29)", {Value::Of(Kind::kDate, "2024-02-29")}), "($1)");
  EXPECT_EQ(Hide("(1970-01-01 00:00:01+00)", {Value::Timestamp(1, 0)}), "($1+00)");
  EXPECT_EQ(Hide("true and NULL", {Value::Boolean(true), Value::Null()}), "true and NULL");
  const std::vector<Value> elements = {Value::Text("hunter2"), Value::Integer(77)};
  Value array{.kind = Kind::kArray};
  array.elements = elements;
  EXPECT_EQ(Hide("\"hunter2\" and 77", {Value::Integer(1), array}), "\"$2\" and $2");
}

TEST(HiddenValuesTest, PartsGoWhereTheValueCouldNotBeRead) {
  const std::vector<Value> args = {Value::Text("hunter2 is secret")};
  EXPECT_EQ(Hide("invalid value \"hunt\" for \"YYYY\"", args, "to_date($1, 'YYYY')", {}, true),
            "invalid value \"$1\" for \"YYYY\"");
  EXPECT_EQ(Hide("Token »secret« is invalid", args, "", {}, true), "Token »$1« is invalid");
  EXPECT_EQ(Hide("Token \"secret\" is invalid", args, "", {}, false),
            "Token \"secret\" is invalid");
  // What the statement itself has is no secret, and a mark gives nothing away.
  EXPECT_EQ(Hide("no \"is\"", args, "SELECT $1 is null", {}, true), "no \"is\"");
  EXPECT_EQ(Hide("Unexpected \" \" character", args, "", {}, true), "Unexpected \" \" character");
}

TEST(HiddenValuesTest, AnyRowMayHaveIt) {
  std::vector<std::vector<Value>> rows(1000, {Value::Integer(1), Value::Text("none")});
  rows[777][1] = Value::Text("hunter2");
  EXPECT_EQ(ParameterValues({}, rows).Hide("Key (b)=(hunter2)", "", {}, false), "Key (b)=($2)");
}

}  // namespace
}  // namespace penstock::driver
