#include "client/cli/width.h"

#include <algorithm>
#include <span>
#include <utility>

#include "client/cli/width_ranges.h"
#include "text/utf8.h"

namespace penstock::cli {
namespace {

bool Contains(std::span<const CodePointRange> ranges, uint32_t code_point) {
  const auto range = std::ranges::lower_bound(ranges, code_point, {}, &CodePointRange::last);
  return range != ranges.end() && range->first <= code_point;
}

constexpr uint32_t kJoiner = 0x200D;
constexpr uint32_t kEmojiStyle = 0xFE0F;

bool IsPictograph(uint32_t c) { return c >= 0xA9 && Contains(kPictographic, c); }

bool IsKeycap(uint32_t c) { return (c >= '0' && c <= '9') || c == '#' || c == '*'; }

bool IsSkinTone(uint32_t c) { return c >= 0x1F3FB && c <= 0x1F3FF; }

// The last character, which the following code points may extend.
class Character {
 public:
  // Adds a code point and returns how many columns that adds.
  size_t Add(uint32_t c) {
    const bool joined = std::exchange(joined_, c == kJoiner && pictograph_);
    const bool pictograph = IsPictograph(c);
    if (c == kEmojiStyle && (pictograph_ || keycap_)) return Widen();
    if (pictograph_ && (IsSkinTone(c) || (joined && pictograph))) return Widen();
    const auto width = static_cast<size_t>(CodePointWidth(c));
    if (width == 0) return 0;
    width_ = width;
    pictograph_ = pictograph;
    keycap_ = IsKeycap(c);
    return width;
  }

 private:
  // Makes the character an emoji of two columns.
  size_t Widen() { return 2 - std::exchange(width_, 2); }

  size_t width_ = 0;
  bool pictograph_ = false;
  bool keycap_ = false;
  // True if the last code point was a joiner.
  bool joined_ = false;
};

}  // namespace

int CodePointWidth(uint32_t code_point) {
  if (code_point < kZeroWidth[0].first) return 1;
  if (Contains(kZeroWidth, code_point)) return 0;
  return Contains(kDoubleWidth, code_point) ? 2 : 1;
}

size_t DisplayWidth(std::string_view utf8) {
  size_t width = 0;
  Character last;
  while (!utf8.empty()) {
    const CodePoint next = FirstCodePoint(utf8);
    width += next.valid ? last.Add(next.value) : 1;
    utf8.remove_prefix(next.length);
  }
  return width;
}

}  // namespace penstock::cli
