#include "server/config/words.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "text/string_views.h"
#include "text/utf8.h"

namespace penstock::server {
namespace {

constexpr size_t kLongestQuote = 80;

bool IsControl(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

// Computes Levenshtein's distance, in one row of the matrix.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const CodePoint next = FirstCodePoint(text);
    if (!next.valid || IsControl(text[0])) {
      out += fmt::format("\\x{:02x}", next.value);
    } else {
      out += text.substr(0, next.length);
    }
    text.remove_prefix(next.length);
  }
  return out;
}

std::string Quoted(std::string_view text) {
  if (text.size() <= kLongestQuote) return fmt::format("'{}'", Printable(text));
  // A text is never cut in the middle of a UTF-8 sequence.
  size_t end = kLongestQuote;
  while (end > 0 && IsContinuation(text[end])) --end;
  return fmt::format("'{}...'", Printable(text.substr(0, end)));
}

std::optional<std::string> Nearest(std::string_view word, const std::vector<std::string>& known) {
  const std::string lower = absl::AsciiStrToLower(ToAbsl(word.substr(0, kLongestQuote)));
  const std::string* nearest = nullptr;
  size_t least = std::max<size_t>(2, lower.size() / 3) + 1;
  for (const std::string& candidate : known) {
    size_t distance = EditDistance(lower, candidate);
    // A word that was cut short ("max_open") or drawn out ("warning") is closer
    // than any misspelling.
    if (std::min(lower.size(), candidate.size()) >= 4 &&
        (candidate.starts_with(lower) || lower.starts_with(candidate))) {
      distance = std::min<size_t>(distance, 1);
    }
    if (distance < least) {
      least = distance;
      nearest = &candidate;
    }
  }
  if (nearest == nullptr) return std::nullopt;
  return *nearest;
}

std::string Advice(std::string_view word, const std::vector<std::string>& known) {
  if (const auto nearest = Nearest(word, known)) return fmt::format("did you mean '{}'?", *nearest);
  return fmt::format("use one of {}", fmt::join(known, ", "));
}

std::string NotAChoice(std::string_view word, const std::vector<std::string>& choices) {
  if (!IsWord(word)) {
    return fmt::format("is not one of {}; use one of them", fmt::join(choices, ", "));
  }
  const auto nearest = Nearest(word, choices);
  return fmt::format("{} is not one of {}; {}", Quoted(word), fmt::join(choices, ", "),
                     nearest ? fmt::format("did you mean '{}'?", *nearest) : "use one of them");
}

bool IsWord(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '_' || c == '-';
  });
}

bool HasControlCharacter(std::string_view text) {
  return std::any_of(text.begin(), text.end(), IsControl);
}

}  // namespace penstock::server
