#include "client/cli/width.h"

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "text/utf8.h"

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

TEST(Width, AnEmojiIsOneCharacter) {
  // A family, a flag, a keycap, a skin tone, hearts as text and as an emoji.
  EXPECT_EQ(DisplayWidth("\U0001F468\u200D\U0001F469\u200D\U0001F467"), 2u);
  EXPECT_EQ(DisplayWidth("\U0001F1E8\U0001F1ED"), 2u);
  EXPECT_EQ(DisplayWidth("1\uFE0F\u20E3"), 2u);
  EXPECT_EQ(DisplayWidth("\u261D\U0001F3FD"), 2u);
  EXPECT_EQ(DisplayWidth("\u2764"), 1u);
  EXPECT_EQ(DisplayWidth("\u2764\uFE0F"), 2u);
  EXPECT_EQ(DisplayWidth("\u2764\uFE0F\u200D\U0001F525!"), 3u);
  // A tone by itself, a joiner between what does not join, a selector behind a letter.
  EXPECT_EQ(DisplayWidth("a\U0001F3FD"), 3u);
  EXPECT_EQ(DisplayWidth("日\u200D本"), 4u);
  EXPECT_EQ(DisplayWidth("\u0915\u094D\u200D\u0937"), 2u);
  EXPECT_EQ(DisplayWidth("a\uFE0F"), 1u);
  EXPECT_EQ(DisplayWidth("\U0001F600\U0001F600"), 4u);
}

// Of a line of Unicode's files, what stands before the first semicolon.
std::vector<uint32_t> CodePoints(const std::string& line) {
  std::vector<uint32_t> found;
  std::istringstream words(line.substr(0, line.find(';')));
  for (std::string word; words >> word;) {
    found.push_back(static_cast<uint32_t>(std::stoul(word, nullptr, 16)));
  }
  return found;
}

std::string Utf8(const std::vector<uint32_t>& code_points) {
  std::string text;
  for (const uint32_t c : code_points) {
    if (c < 0x80) {
      text += static_cast<char>(c);
      continue;
    }
    const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    text += static_cast<char>((0xFF00 >> (more + 1) & 0xFF) | c >> (6 * more));
    for (int i = more - 1; i >= 0; --i) text += static_cast<char>(0x80 | (c >> (6 * i) & 0x3F));
  }
  return text;
}

// Every emoji that Unicode recommends to support.
TEST(Width, EveryEmojiTakesTwoColumns) {
  std::ifstream file("/usr/share/unicode/emoji/emoji-test.txt");
  int count = 0;
  for (std::string line; std::getline(file, line);) {
    const std::string status = line.substr(std::min(line.find(';'), line.size()));
    if (!status.starts_with("; fully-qualified") && !status.starts_with("; minimally")) continue;
    EXPECT_EQ(DisplayWidth(Utf8(CodePoints(line))), 2u) << line;
    ++count;
  }
  EXPECT_GT(count, 4000) << "install Debian's package unicode-data";
}

// The tables against the files they are made from.
TEST(Width, EveryMarkTakesNone) {
  std::ifstream file("/usr/share/unicode/UnicodeData.txt");
  int marks = 0;
  for (std::string line; std::getline(file, line);) {
    const std::string rest = line.substr(line.find(';', line.find(';') + 1) + 1);
    const bool mark = rest.starts_with("Mn;") || rest.starts_with("Me;");
    const uint32_t code_point = CodePoints(line).front();
    if (mark) {
      EXPECT_EQ(CodePointWidth(code_point), 0) << line;
    }
    if (rest.starts_with("L") && (code_point < 0x1160 || code_point > 0x11FF) &&
        code_point < 0xD7B0) {
      EXPECT_NE(CodePointWidth(code_point), 0) << line;
    }
    marks += mark ? 1 : 0;
  }
  EXPECT_GT(marks, 1900);
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
