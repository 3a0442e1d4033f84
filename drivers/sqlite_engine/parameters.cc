#include "drivers/sqlite_engine/parameters.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "absl/strings/ascii.h"
#include "drivers/api/error.h"
#include "drivers/sqlite_engine/characters.h"
#include "fmt/format.h"

namespace penstock::sqlite_engine {
namespace {

using driver::MakeError;
using driver::MakeErrorWithHint;
using driver::Reason;

// Up to so many SQLite's way costs some ten milliseconds at most, and a column that is
// named by its text, as that of `SELECT $1`, has the name that it was given.
constexpr std::ptrdiff_t kFew = 2000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Walks a text as SQLite's tokenizer does, as far as it takes to tell parameters from
// what looks like one in texts, comments and names.
class Tokens {
 public:
  explicit Tokens(std::string_view sql) : sql_(sql) {}

  // The next parameter; nothing: there is none.
  std::optional<std::string_view> NextParameter() {
    while (at_ < sql_.size()) {
      const size_t begin = at_;
      const char c = sql_[begin];
      if (c == '\'' || c == '"' || c == '`') {
        SkipQuoted(c);
      } else if (c == '[') {
        SkipThrough("]", 1);
      } else if (sql_.substr(begin, 2) == "--") {
        SkipThrough("\n", 2);
      } else if (sql_.substr(begin, 2) == "/*") {
        SkipThrough("*/", 2);
      } else if (c == '?') {
        for (++at_; at_ < sql_.size() && IsDigit(sql_[at_]);) ++at_;
        return sql_.substr(begin, at_ - begin);
      } else if (c == '$' || c == '@' || c == '#' || c == ':') {
        SkipVariable();
        return sql_.substr(begin, at_ - begin);
      } else if (IsNameCharacter(c)) {
        while (at_ < sql_.size() && IsNameCharacter(sql_[at_])) ++at_;
      } else {
        ++at_;
      }
    }
    return std::nullopt;
  }

 private:
  void SkipQuoted(char quote) {
    for (++at_; at_ < sql_.size(); ++at_) {
      if (sql_[at_] != quote) continue;
      ++at_;
      // A quote twice is one of the text's.
      if (at_ == sql_.size() || sql_[at_] != quote) return;
    }
  }

  void SkipThrough(std::string_view end, size_t from) {
    const size_t found = sql_.find(end, at_ + from);
    at_ = found == std::string_view::npos ? sql_.size() : found + end.size();
  }

  // Skips a variable, with what Tcl allows after its name: $a::b(c).
  void SkipVariable() {
    size_t letters = 0;
    for (++at_; at_ < sql_.size(); ++at_) {
      const char c = sql_[at_];
      if (IsNameCharacter(c)) {
        ++letters;
      } else if (c == ':' && sql_.substr(at_, 2) == "::") {
        ++at_;
      } else if (c == '(' && letters > 0) {
        while (at_ < sql_.size() && !absl::ascii_isspace(sql_[at_]) && sql_[at_] != ')') ++at_;
        if (at_ < sql_.size() && sql_[at_] == ')') ++at_;
        return;
      } else {
        return;
      }
    }
  }

  const std::string_view sql_;
  size_t at_ = 0;
};

}  // namespace

int ParameterNumber(std::string_view parameter) {
  int number = 0;
  const char* end = parameter.data() + parameter.size();
  const auto [stop, error] = std::from_chars(parameter.data() + 1, end, number);
  const bool has_number = parameter.front() == '$' || parameter.front() == '?';
  const bool valid = has_number && error == std::errc() && stop == end && number >= 1;
  return valid && number <= kMaxParameters ? number : 0;
}

absl::Status NotNumberedError(std::string_view parameter) {
  return MakeErrorWithHint(
      Reason::kInvalidParameter,
      fmt::format("parameter '{}' is not numbered from 1 to {}", parameter, kMaxParameters),
      "write parameters as $1, $2, … and a cast as CAST($1 AS type); send many values as one json "
      "parameter with json_each, or as `rows` of Exec");
}

absl::Status MixedError() {
  return MakeError(Reason::kInvalidParameter, "`?` and `$1` are mixed; use one of them");
}

absl::StatusOr<AnonymousText> WithoutNumbers(std::string_view sql) {
  AnonymousText made;
  const auto marks = std::count_if(sql.begin(), sql.end(), [](char c) {
    return c == '$' || c == '?' || c == ':' || c == '@' || c == '#';
  });
  if (marks <= kFew) return made;
  made.sql = sql;
  bool numbered = false;
  bool positional = false;
  int last = 0;
  Tokens tokens(sql);
  while (const std::optional<std::string_view> parameter = tokens.NextParameter()) {
    const bool bare = *parameter == "?";
    // SQLite gives a `?` the number after the largest so far.
    const int number = bare ? last + 1 : ParameterNumber(*parameter);
    if (number == 0 || number > kMaxParameters) return NotNumberedError(*parameter);
    (parameter->front() == '?' ? positional : numbered) = true;
    if (numbered && positional) return MixedError();
    last = std::max(last, number);
    made.arguments.push_back(number - 1);
    const auto at = made.sql.begin() + (parameter->data() - sql.data());
    *at = '?';
    std::fill(at + 1, at + static_cast<std::ptrdiff_t>(parameter->size()), ' ');
  }
  if (made.arguments.size() <= static_cast<size_t>(kFew)) return AnonymousText();
  return made;
}

}  // namespace penstock::sqlite_engine
