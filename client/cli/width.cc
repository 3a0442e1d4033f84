#include "client/cli/width.h"

#include <algorithm>
#include <span>

#include "client/cli/utf8.h"
#include "client/cli/width_ranges.h"

namespace penstock::cli {
namespace {

bool Contains(std::span<const CodePointRange> ranges, uint32_t code_point) {
  const auto range = std::ranges::lower_bound(ranges, code_point, {}, &CodePointRange::last);
  return range != ranges.end() && range->first <= code_point;
}

}  // namespace

int CodePointWidth(uint32_t code_point) {
  if (code_point < kZeroWidth[0].first) return 1;
  if (Contains(kZeroWidth, code_point)) return 0;
  return Contains(kDoubleWidth, code_point) ? 2 : 1;
}

size_t DisplayWidth(std::string_view utf8) {
  size_t width = 0;
  while (!utf8.empty()) {
    const CodePoint next = FirstCodePoint(utf8);
    width += next.valid ? CodePointWidth(next.value) : 1;
    utf8.remove_prefix(next.length);
  }
  return width;
}

}  // namespace penstock::cli
