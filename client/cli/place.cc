#include "client/cli/place.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>

#include "client/cli/encode.h"
#include "client/cli/width.h"
#include "fmt/format.h"
#include "text/utf8.h"

namespace penstock::cli {
namespace {

// How many bytes of a line are shown on either side of the place.
constexpr size_t kSide = 60;

// Returns the byte at which the character `position` begins; the size for the position after the
// last.
std::optional<size_t> ByteOf(std::string_view sql, int32_t position) {
  if (position <= 0) return std::nullopt;
  size_t byte = 0;
  for (int32_t i = 1; i < position; ++i) {
    if (byte == sql.size()) return std::nullopt;
    byte += FirstCodePoint(sql.substr(byte)).length;
  }
  return byte;
}

// Returns `byte`, or the beginning of the character that it is in.
size_t CharacterAt(std::string_view line, size_t byte) {
  while (byte > 0 && byte < line.size() && IsContinuation(line[byte])) --byte;
  return byte;
}

}  // namespace

void AppendPlace(std::string_view sql, int32_t position, std::string* out) {
  const std::optional<size_t> byte = ByteOf(sql, position);
  if (!byte.has_value()) return;
  const size_t before = sql.substr(0, *byte).rfind('\n');
  const size_t begin = before == std::string_view::npos ? 0 : before + 1;
  std::string_view line = sql.substr(begin, sql.find('\n', *byte) - begin);
  if (line.ends_with('\r') && line.size() - 1 >= *byte - begin) line.remove_suffix(1);

  const size_t at = *byte - begin;
  const size_t from = at > kSide ? CharacterAt(line, at - kSide) : 0;
  const size_t to = line.size() - at > kSide ? CharacterAt(line, at + kSide) : line.size();
  const auto number = std::count(sql.begin(), sql.begin() + static_cast<ptrdiff_t>(begin), '\n');
  const std::string left = fmt::format("  line {}: {}{}", number + 1, from > 0 ? "…" : "",
                                       Printable(line.substr(from, at - from)));
  fmt::format_to(std::back_inserter(*out), "{}{}{}\n{}^\n", left,
                 Printable(line.substr(at, to - at)), to < line.size() ? "…" : "",
                 std::string(DisplayWidth(left), ' '));
}

}  // namespace penstock::cli
