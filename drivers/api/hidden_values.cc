#include "drivers/api/hidden_values.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/strings/ascii.h"
#include "text/utf8.h"

namespace penstock::driver {
namespace {

using absl::ascii_tolower;

// A word so short may be one of the language that the text is in.
constexpr size_t kShortWord = 3;
// So many bytes are not the beginning of a value by chance.
constexpr size_t kClipped = 20;

bool IsLetter(char c) { return absl::ascii_isalpha(c); }

// The character before and the one at a place; empty at the text's ends.
std::string_view Before(std::string_view text, size_t end) {
  size_t begin = end;
  while (begin > 0 && IsContinuation(text[--begin])) {
  }
  return text.substr(begin, end - begin);
}
std::string_view At(std::string_view text, size_t begin) {
  size_t end = begin;
  while (end < text.size() && (end == begin || IsContinuation(text[end]))) ++end;
  return text.substr(begin, end - begin);
}

// A letter or digit of any language: what is not ASCII is one, but for the punctuation,
// which has the quotes of all languages.
bool InWord(std::string_view c) {
  if (c.empty()) return false;
  if (c.size() > 1 || c[0] < 0) {
    constexpr std::string_view kPunctuation[] = {"\xC2", "\xE2\x80", "\xE2\x81", "\xE3\x80"};
    return std::none_of(std::begin(kPunctuation), std::end(kPunctuation),
                        [c](std::string_view block) { return c.starts_with(block); });
  }
  return IsLetter(c[0]) || (c[0] >= '0' && c[0] <= '9') || c[0] == '_';
}

// Sets what stands beside it apart from a sentence.
bool IsMark(std::string_view c) {
  if (c.empty()) return false;
  return c.size() > 1 ? !InWord(c) : std::string_view("\"'()[]{},=").find(c[0]) != c.npos;
}

bool SetApart(std::string_view text, size_t begin, size_t end) {
  const bool in_list = text.substr(0, begin).ends_with(", ");
  return (in_list || IsMark(Before(text, begin))) && IsMark(At(text, end));
}

// Returns true if [begin, end) is not part of a longer word.
bool IsWhole(std::string_view text, size_t begin, size_t end) {
  const std::string_view found = text.substr(begin, end - begin);
  const bool short_word =
      found.size() <= kShortWord && std::all_of(found.begin(), found.end(), IsLetter);
  if (short_word) return SetApart(text, begin, end);
  const bool joined_before = InWord(Before(text, begin)) && InWord(At(text, begin));
  const bool joined_after = InWord(Before(text, end)) && InWord(At(text, end));
  return !joined_before && !joined_after;
}

// Returns the end of the value that begins at `begin`, whole or clipped; `begin` if the text
// there is another value.
size_t EndOf(std::string_view text, size_t begin, std::string_view value) {
  const size_t most = std::min(value.size(), text.size() - begin);
  size_t same = 0;
  while (same < most && ascii_tolower(text[begin + same]) == ascii_tolower(value[same])) ++same;
  const size_t end = begin + same;
  if (same == value.size()) return IsWhole(text, begin, end) ? end : begin;
  const bool starts = !InWord(Before(text, begin)) || !InWord(At(text, begin));
  return same >= kClipped && starts ? end - (end < text.size() && IsContinuation(text[end]))
                                    : begin;
}

// Each "(…)" that "=(" follows: it has the names of columns.
std::vector<std::pair<size_t, size_t>> ColumnLists(std::string_view text) {
  std::vector<std::pair<size_t, size_t>> lists;
  for (size_t close = text.find(")=("); close != text.npos; close = text.find(")=(", close + 1)) {
    size_t open = close;
    for (int depth = 1; depth > 0 && open > 0;) {
      --open;
      depth += (text[open] == ')') - (text[open] == '(');
    }
    lists.emplace_back(open, close);
  }
  return lists;
}

bool IsName(std::string_view text, size_t begin, size_t end,
            std::span<const std::string_view> names) {
  const std::string_view found = text.substr(begin, end - begin);
  const bool known = std::find(names.begin(), names.end(), found) != names.end();
  return known && IsMark(Before(text, begin)) && IsMark(At(text, end));
}

}  // namespace

std::string HideValues(std::string_view text, std::span<const HiddenValue> values,
                       std::span<const std::string_view> names) {
  std::string shown;
  const auto lists = ColumnLists(text);
  for (size_t i = 0; i < text.size();) {
    const bool in_list = std::any_of(lists.begin(), lists.end(), [i](const auto& list) {
      return i >= list.first && i < list.second;
    });
    const HiddenValue* longest = nullptr;
    size_t end = i;
    for (const HiddenValue& value : values) {
      if (in_list || value.value.empty()) continue;
      const size_t its_end = EndOf(text, i, value.value);
      if (its_end <= end || IsName(text, i, its_end, names)) continue;
      longest = &value;
      end = its_end;
    }
    if (longest != nullptr) {
      shown += longest->shown;
      i = end;
    } else {
      shown += text[i++];
    }
  }
  return shown;
}

}  // namespace penstock::driver
