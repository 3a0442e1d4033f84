#include "drivers/sqlite/migrations/pragma.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/strings/ascii.h"

namespace penstock::migrations {
namespace {

bool IsSpace(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

std::string_view SkipBlank(std::string_view text) {
  for (;;) {
    while (!text.empty() && IsSpace(text.front())) text.remove_prefix(1);
    const std::string_view end = text.starts_with("--") ? "\n" : "*/";
    if (end == "*/" && !text.starts_with("/*")) return text;
    const size_t at = text.find(end, 2);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + end.size());
  }
}

bool IsDigit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

bool IsWord(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' ||
         (c & 0x80) != 0;
}

// Takes a word, a quoted one (without its quotes), a number or one other character off the
// front. Empty at the end.
std::string TakeToken(std::string_view* text) {
  *text = SkipBlank(*text);
  if (text->empty()) return {};
  const char first = text->front();
  if (std::string_view("'\"`[").find(first) != std::string_view::npos) {
    text->remove_prefix(1);
    const std::string token(text->substr(0, text->find(first == '[' ? ']' : first)));
    text->remove_prefix(std::min(token.size() + 1, text->size()));
    return token;
  }
  size_t length = 1;
  const auto goes_on = [first](char c) { return IsWord(c) || (IsDigit(first) && c == '.'); };
  while (IsWord(first) && length < text->size() && goes_on((*text)[length])) ++length;
  std::string token(text->substr(0, length));
  text->remove_prefix(length);
  return token;
}

// As SQLite does: a number counts by its lowest byte, and what is neither a number nor one
// of three words is off.
bool ReadBoolean(const std::string& value) {
  if (!value.empty() && IsDigit(value.front())) {
    constexpr int kHexadecimal = 16;
    const bool hex = value.size() > 2 && (value[1] == 'x' || value[1] == 'X');
    int32_t number = 0;
    std::from_chars(value.data() + (hex ? 2 : 0), value.data() + value.size(), number,
                    hex ? kHexadecimal : 10);
    return static_cast<uint8_t>(number) != 0;
  }
  const std::string word = absl::AsciiStrToLower(value);
  return word == "on" || word == "yes" || word == "true";
}

}  // namespace

std::optional<bool> SetsForeignKeys(const SqlStatement& statement) {
  if (!statement.StartsWith({"PRAGMA"})) return std::nullopt;
  std::string_view rest = statement.text;
  TakeToken(&rest);
  std::string name = TakeToken(&rest);
  std::string next = TakeToken(&rest);
  if (next == ".") {
    name = TakeToken(&rest);
    next = TakeToken(&rest);
  }
  if (absl::AsciiStrToLower(name) != "foreign_keys" || (next != "=" && next != "("))
    return std::nullopt;
  std::string value = TakeToken(&rest);
  if (value == "+") value = TakeToken(&rest);
  return ReadBoolean(value);
}

}  // namespace penstock::migrations
