#include "client/cli/gen_diff.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "fmt/format.h"

namespace penstock::cli {
namespace {

using Lines = std::vector<std::string_view>;

Lines Split(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size() - 1);
    lines.push_back(text.substr(0, end + 1));
    text.remove_prefix(end + 1);
  }
  return lines;
}

// The length of the longest common subsequence of what follows each pair of positions.
class Common {
 public:
  Common(const Lines& before, const Lines& after)
      : width_(after.size() + 1), lengths_((before.size() + 1) * width_) {
    for (size_t i = before.size(); i-- > 0;) {
      for (size_t j = after.size(); j-- > 0;) {
        lengths_[i * width_ + j] = before[i] == after[j] ? Rest(i + 1, j + 1) + 1
                                                         : std::max(Rest(i + 1, j), Rest(i, j + 1));
      }
    }
  }
  uint32_t Rest(size_t i, size_t j) const { return lengths_[i * width_ + j]; }

 private:
  const size_t width_;
  std::vector<uint32_t> lengths_;
};

// The largest number of pairs of lines, each of which takes four bytes, for which common lines are
// searched.
constexpr size_t kMostPairs = size_t{16} << 20;

void AppendLine(char sign, std::string_view line, std::string* to) {
  *to += sign;
  *to += line;
  if (!line.ends_with('\n')) *to += '\n';
}

}  // namespace

std::string DifferingLines(std::string_view before, std::string_view after) {
  Lines old_lines = Split(before);
  Lines new_lines = Split(after);
  // Skips the common beginning and end, so that a small change in a large header is found quickly.
  const auto [old_end, new_end] =
      std::mismatch(old_lines.begin(), old_lines.end(), new_lines.begin(), new_lines.end());
  const size_t same = static_cast<size_t>(old_end - old_lines.begin());
  old_lines.erase(old_lines.begin(), old_end);
  new_lines.erase(new_lines.begin(), new_end);
  while (!old_lines.empty() && !new_lines.empty() && old_lines.back() == new_lines.back()) {
    old_lines.pop_back();
    new_lines.pop_back();
  }
  std::string text;
  if (old_lines.size() * new_lines.size() > kMostPairs) {
    text = fmt::format("@@ line {}\n", same + 1);
    for (const std::string_view line : old_lines) AppendLine('-', line, &text);
    for (const std::string_view line : new_lines) AppendLine('+', line, &text);
    return text;
  }
  const Common common(old_lines, new_lines);
  bool in_group = false;
  for (size_t i = 0, j = 0; i < old_lines.size() || j < new_lines.size();) {
    if (i < old_lines.size() && j < new_lines.size() && old_lines[i] == new_lines[j]) {
      ++i;
      ++j;
      in_group = false;
      continue;
    }
    if (!in_group) text += fmt::format("@@ line {}\n", same + i + 1);
    in_group = true;
    const bool goes = i < old_lines.size() &&
                      (j == new_lines.size() || common.Rest(i + 1, j) >= common.Rest(i, j + 1));
    AppendLine(goes ? '-' : '+', goes ? old_lines[i++] : new_lines[j++], &text);
  }
  return text;
}

}  // namespace penstock::cli
