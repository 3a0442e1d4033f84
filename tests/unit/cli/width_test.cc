#include "client/cli/width.h"

#include "client/cli/utf8.h"
#include "gtest/gtest.h"

namespace penstock::cli {
namespace {

TEST(Width, OneColumnForPlainText) {
  EXPECT_EQ(DisplayWidth(""), 0u);
  EXPECT_EQ(DisplayWidth("abc"), 3u);
  EXPECT_EQ(DisplayWidth("Zürich"), 6u);
  EXPECT_EQ(DisplayWidth("Ελλάδα"), 6u);
}

TEST(Width, TwoColumnsForWideText) {
  EXPECT_EQ(DisplayWidth("日本語"), 6u);
  EXPECT_EQ(DisplayWidth("한글"), 4u);
  EXPECT_EQ(DisplayWidth("Ａ"), 2u);
  EXPECT_EQ(DisplayWidth("😀"), 2u);
  // The halfwidth form of a katakana.
  EXPECT_EQ(DisplayWidth("ｱ"), 1u);
}

TEST(Width, NothingForWhatIsDrawnOntoItsNeighbour) {
  EXPECT_EQ(DisplayWidth("u\u0308"), 1u);
  EXPECT_EQ(DisplayWidth("\u05E9\u05C1"), 1u);
  EXPECT_EQ(DisplayWidth("a\u200Bb"), 2u);
  // Conjoining Hangul: a wide initial, then a vowel and a final without width.
  EXPECT_EQ(DisplayWidth("\u1112\u1161\u11AB"), 2u);
  // The soft hyphen is shown by terminals.
  EXPECT_EQ(CodePointWidth(0xAD), 1);
}

TEST(Width, TheEdgesOfRanges) {
  EXPECT_EQ(CodePointWidth(0x2FF), 1);
  EXPECT_EQ(CodePointWidth(0x300), 0);
  EXPECT_EQ(CodePointWidth(0x36F), 0);
  EXPECT_EQ(CodePointWidth(0x370), 1);
  EXPECT_EQ(CodePointWidth(0x3FFFD), 2);
  EXPECT_EQ(CodePointWidth(0x10FFFF), 1);
}

TEST(Width, OneColumnForEachBrokenByte) {
  EXPECT_EQ(DisplayWidth("\xff\xc3"), 2u);
  EXPECT_EQ(DisplayWidth("\xe6\x97"), 2u);
}

TEST(Utf8, ReadsEveryLength) {
  EXPECT_EQ(FirstCodePoint("a").value, 0x61u);
  EXPECT_EQ(FirstCodePoint("é!").value, 0xE9u);
  EXPECT_EQ(FirstCodePoint("é!").length, 2u);
  EXPECT_EQ(FirstCodePoint("日").value, 0x65E5u);
  EXPECT_EQ(FirstCodePoint("😀").value, 0x1F600u);
  EXPECT_EQ(FirstCodePoint("😀").length, 4u);
}

TEST(Utf8, RefusesWhatIsNotWellFormed) {
  for (const char* broken :
       {"\x80", "\xc0\xaf", "\xc1\xbf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf0\x80\x80\xaf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3", "\xc3(", "\xe6\x97(", "\xff"}) {
    const CodePoint first = FirstCodePoint(broken);
    EXPECT_FALSE(first.valid) << broken;
    EXPECT_EQ(first.length, 1u) << broken;
  }
}

}  // namespace
}  // namespace penstock::cli
