#include "tests/differential/sqlite_text.h"

#include <sqlite3.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "fmt/format.h"
#include "tests/differential/text.h"

namespace penstock::differential {
namespace {

constexpr size_t kMostParameters = 500;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

size_t End(std::string_view sql, size_t found, size_t length) {
  return found == std::string_view::npos ? sql.size() : found + length;
}

// Past a quoted token, whose closing character is written twice inside of it.
size_t QuotedEnd(std::string_view sql, char close) {
  size_t at = 1;
  while (at < sql.size()) {
    at = End(sql, sql.find(close, at), 1);
    if (close == ']' || at >= sql.size() || sql[at] != close) break;
    ++at;
  }
  return at;
}

size_t NumberEnd(std::string_view sql) {
  const auto digits = [&](size_t at) {
    while (at < sql.size() && IsDigit(sql[at])) ++at;
    return at;
  };
  size_t at = digits(0);
  if (at < sql.size() && sql[at] == '.') at = digits(at + 1);
  if (at + 1 < sql.size() && (sql[at] == 'e' || sql[at] == 'E')) {
    const size_t exponent = at + (sql[at + 1] == '+' || sql[at + 1] == '-' ? 2 : 1);
    if (exponent < sql.size() && IsDigit(sql[exponent])) at = digits(exponent);
  }
  return at;
}

enum class Token : uint8_t { kText, kBlob, kNumber, kParameter, kOther };

// The token at the front of `sql`, and its length.
std::pair<Token, size_t> FirstToken(std::string_view sql) {
  const char c = sql[0];
  const char next = sql.size() > 1 ? sql[1] : '\0';
  if (sql.starts_with("--")) return {Token::kOther, End(sql, sql.find('\n'), 1)};
  if (sql.starts_with("/*")) return {Token::kOther, End(sql, sql.find("*/", 2), 2)};
  if (c == '\'') return {Token::kText, QuotedEnd(sql, '\'')};
  if (c == '"' || c == '`') return {Token::kOther, QuotedEnd(sql, c)};
  if (c == '[') return {Token::kOther, QuotedEnd(sql, ']')};
  if ((c == 'x' || c == 'X') && next == '\'')
    return {Token::kBlob, 1 + QuotedEnd(sql.substr(1), '\'')};
  if (IsDigit(c) || (c == '.' && IsDigit(next))) {
    const size_t end = NumberEnd(sql);
    if (end == sql.size() || !IsNameCharacter(sql[end])) return {Token::kNumber, end};
  }
  const bool starts_parameter = c == '?' || c == ':' || c == '@' || c == '$' || c == '#';
  size_t end = 1;
  if (IsNameCharacter(c) || (starts_parameter && IsNameCharacter(next))) {
    while (end < sql.size() && IsNameCharacter(sql[end])) ++end;
  }
  return {starts_parameter ? Token::kParameter : Token::kOther, end};
}

v1::Value NumberValue(const std::string& text) {
  int64_t whole = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, whole);
  if (error == std::errc() && stop == end) return testing::Int(whole);
  return testing::Real(std::strtod(text.c_str(), nullptr));
}

v1::Value TextValue(std::string_view token) {
  std::string text;
  for (size_t i = 1; i + 1 < token.size(); ++i) {
    text += token[i];
    if (token[i] == '\'') ++i;
  }
  return testing::Text(text);
}

std::optional<v1::Value> BlobValue(std::string_view token) {
  const std::string_view digits = token.substr(2, token.size() - 3);
  std::string bytes;
  for (size_t i = 0; i + 1 < digits.size(); i += 2) {
    unsigned byte = 0;
    const char* begin = digits.data() + i;
    if (std::from_chars(begin, begin + 2, byte, 16).ptr != begin + 2) return std::nullopt;
    bytes += static_cast<char>(byte);
  }
  if (digits.size() % 2 != 0) return std::nullopt;
  return testing::Blob(bytes);
}

std::optional<v1::Value> ValueOf(Token kind, std::string_view token) {
  switch (kind) {
    case Token::kNumber: return NumberValue(std::string(token));
    case Token::kText: return TextValue(token);
    case Token::kBlob: return BlobValue(token);
    default: return std::nullopt;
  }
}

}  // namespace

std::vector<Piece> SplitSqlite(std::string_view text, LeftOut* left_out) {
  std::vector<Piece> pieces;
  int line = 1;
  size_t counted = 0;
  const auto add = [&](size_t begin, size_t end) {
    const std::string_view sql = text.substr(begin, end - begin);
    const std::string_view bare = SkipBlank(sql);
    if (bare.empty()) return;
    const size_t start = static_cast<size_t>(bare.data() - text.data());
    line += static_cast<int>(std::count(text.begin() + static_cast<std::ptrdiff_t>(counted),
                                        text.begin() + static_cast<std::ptrdiff_t>(start), '\n'));
    counted = start;
    pieces.push_back({line, std::string(bare)});
  };
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const bool starts_line = at == 0 || text[at - 1] == '\n';
    if (text[at] == '.' && starts_line && SkipBlank(text.substr(begin, at - begin)).empty()) {
      ++(*left_out)["commands of the shell"];
      begin = at = End(text, text.find('\n', at), 1);
      continue;
    }
    const size_t end = at + FirstToken(text.substr(at)).second;
    if (text[at] == ';') {
      const std::string sql(text.substr(begin, end - begin));
      if (sqlite3_complete(sql.c_str()) != 0) {
        add(begin, end);
        begin = end;
      }
    }
    at = end;
  }
  add(begin, text.size());
  return pieces;
}

bool HasSqliteParameters(std::string_view sql) {
  while (!sql.empty()) {
    const auto [kind, length] = FirstToken(sql);
    if (kind == Token::kParameter) return true;
    sql.remove_prefix(length);
  }
  return false;
}

Parameterised ParameteriseSqlite(std::string_view sql) {
  static const std::set<std::string> verbs = {"SELECT",  "VALUES", "WITH",  "INSERT",
                                              "REPLACE", "UPDATE", "DELETE"};
  if (verbs.count(Verb(sql)) == 0) return {std::string(sql), {}};
  Parameterised result;
  for (std::string_view rest = sql; !rest.empty();) {
    const auto [kind, length] = FirstToken(rest);
    const std::optional<v1::Value> value = ValueOf(kind, rest.substr(0, length));
    if (value.has_value() && result.args.size() < kMostParameters) {
      result.args.push_back(*value);
      // Not part of the word before or behind it, as the constant was none.
      const bool joins_before = !result.sql.empty() && IsNameCharacter(result.sql.back());
      const bool joins_behind = length < rest.size() && IsNameCharacter(rest[length]);
      result.sql += fmt::format("{}${}{}", joins_before ? " " : "", result.args.size(),
                                joins_behind ? " " : "");
    } else {
      result.sql += rest.substr(0, length);
    }
    rest.remove_prefix(length);
  }
  return result;
}

}  // namespace penstock::differential
