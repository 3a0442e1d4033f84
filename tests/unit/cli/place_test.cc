#include "client/cli/place.h"

#include <string>
#include <string_view>

#include "gtest/gtest.h"

namespace penstock::cli {
namespace {

std::string Place(std::string_view sql, int32_t position) {
  std::string out;
  AppendPlace(sql, position, &out);
  return out;
}

TEST(Place, IsUnderItsCharacter) {
  EXPECT_EQ(Place("select * form t", 10), "  line 1: select * form t\n                   ^\n");
  EXPECT_EQ(Place("x", 1), "  line 1: x\n          ^\n");
}

TEST(Place, OnItsLine) {
  EXPECT_EQ(Place("a\nbc\nd", 4), "  line 2: bc\n           ^\n");
  EXPECT_EQ(Place("a\r\nbc\r\nd", 5), "  line 2: bc\n           ^\n");
  EXPECT_EQ(Place("a\n\nb", 3), "  line 2: \n          ^\n");
  EXPECT_EQ(Place("a\n\nb", 4), "  line 3: b\n          ^\n");
  // The end of a line, and of the statement.
  EXPECT_EQ(Place("ab\nc", 3), "  line 1: ab\n            ^\n");
  EXPECT_EQ(Place("select", 7), "  line 1: select\n                ^\n");
}

TEST(Place, BehindWhatIsNotOneColumnWide) {
  EXPECT_EQ(Place("'日本' x", 6), "  line 1: '日本' x\n                 ^\n");
  EXPECT_EQ(Place("u\u0308 x", 4), "  line 1: u\u0308 x\n            ^\n");
  EXPECT_EQ(Place("\t\x1b x", 4), "  line 1: \\t\\u{1b} x\n                   ^\n");
  EXPECT_EQ(Place("👩‍👧 x", 5), "  line 1: 👩‍👧 x\n             ^\n");
}

TEST(Place, OfALongLineIsShownWithItsSurroundings) {
  const std::string place = Place(std::string(1000, 'a') + "日" + std::string(1000, 'b'), 1001);
  EXPECT_EQ(place, "  line 1: …" + std::string(60, 'a') + "日" + std::string(57, 'b') + "…\n" +
                       std::string(10 + 1 + 60, ' ') + "^\n");
}

TEST(Place, ThatIsNotThereIsNotShown) {
  EXPECT_EQ(Place("select", 0), "");
  EXPECT_EQ(Place("select", -1), "");
  EXPECT_EQ(Place("select", 8), "");
  EXPECT_EQ(Place("", 2), "");
}

}  // namespace
}  // namespace penstock::cli
