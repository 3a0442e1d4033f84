// Words of messages, and the characters in them.
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "server/config/words.h"
#include "text/utf8.h"

namespace penstock::server {
namespace {

TEST(WordsTest, TheNearestWordIsFound) {
  const std::vector<std::string> known = {"listen", "max_open_connections", "level"};
  EXPECT_EQ(Nearest("lisen", known), "listen");
  EXPECT_EQ(Nearest("LISTEN", known), "listen");
  EXPECT_EQ(Nearest("max_open", known), "max_open_connections");
  EXPECT_EQ(Nearest("levels_of_it", known), "level");
  EXPECT_EQ(Nearest("levle", known), "level");
  EXPECT_EQ(Nearest("colour", known), std::nullopt);
  EXPECT_EQ(Nearest("", {}), std::nullopt);
  EXPECT_EQ(Advice("lisen", known), "did you mean 'listen'?");
  EXPECT_EQ(Advice("colour", known), "use one of listen, max_open_connections, level");
}

TEST(WordsTest, AQuoteStaysShortAndOnItsLine) {
  EXPECT_EQ(Quoted("a\nb\x7f\xff"), "'a\\x0ab\\x7f\\xff'");
  EXPECT_EQ(Quoted("grün"), "'grün'");
  EXPECT_EQ(Quoted(std::string(80, 'x')), "'" + std::string(80, 'x') + "'");
  EXPECT_EQ(Quoted(std::string(81, 'x')), "'" + std::string(80, 'x') + "...'");
  // Not cut within a character.
  EXPECT_EQ(Quoted(std::string(79, 'x') + "ü!"), "'" + std::string(79, 'x') + "...'");
}

TEST(WordsTest, AWrongChoiceIsShownOnlyIfItIsAWord) {
  EXPECT_EQ(NotAChoice("jso", {"text", "json"}),
            "'jso' is not one of text, json; did you mean 'json'?");
  EXPECT_EQ(NotAChoice("yellow", {"text", "json"}),
            "'yellow' is not one of text, json; use one of them");
  EXPECT_EQ(NotAChoice("postgres://u:secret@h", {"text", "json"}),
            "is not one of text, json; use one of them");
}

TEST(Utf8Test, FindsTheFirstByteThatIsNot) {
  EXPECT_EQ(FindInvalidUtf8("plain, gr\xC3\xBCn, \xE2\x82\xAC, \xF0\x9F\x98\x80"),
            std::string_view::npos);
  EXPECT_EQ(FindInvalidUtf8(""), std::string_view::npos);
  for (const char* bad : {
           "ab\xFF",              // never a first byte
           "ab\x80",              // a continuation alone
           "ab\xC0\x80",          // overlong
           "ab\xE0\x80\x80",      // overlong
           "ab\xF0\x80\x80\x80",  // overlong
           "ab\xED\xA0\x80",      // a surrogate
           "ab\xF4\x90\x80\x80",  // beyond U+10FFFF
           "ab\xE2\x82",          // cut off
           "ab\xE2\x82z",         // cut off by another
       }) {
    EXPECT_EQ(FindInvalidUtf8(bad), 2u) << bad;
  }
}

}  // namespace
}  // namespace penstock::server
