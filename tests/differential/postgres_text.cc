#include "tests/differential/postgres_text.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <string>
#include <utility>

namespace penstock::differential {
namespace {

bool IsNameStart(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0;
}

bool IsName(char c) {
  return IsNameStart(c) || c == '$' || std::isdigit(static_cast<unsigned char>(c)) != 0;
}

size_t End(std::string_view sql, size_t found, size_t length) {
  return found == std::string_view::npos ? sql.size() : found + length;
}

size_t CommentEnd(std::string_view sql) {
  size_t depth = 0;
  for (size_t at = 0; at < sql.size();) {
    const std::string_view rest = sql.substr(at);
    if (rest.starts_with("/*")) {
      ++depth;
      at += 2;
    } else if (rest.starts_with("*/")) {
      at += 2;
      if (--depth == 0) return at;
    } else {
      ++at;
    }
  }
  return sql.size();
}

// Past the quote at the front; `escapes`: a backslash takes what follows it with it.
size_t QuotedEnd(std::string_view sql, bool escapes) {
  for (size_t at = 1; at < sql.size(); ++at) {
    if (escapes && sql[at] == '\\') {
      ++at;
    } else if (sql[at] == sql[0]) {
      return at + 1;
    }
  }
  return sql.size();
}

// Past $tag$…$tag$ at the front; 0: there is none.
size_t DollarQuotedEnd(std::string_view sql) {
  const size_t close = sql.find('$', 1);
  if (close == std::string_view::npos) return 0;
  const std::string_view tag = sql.substr(0, close + 1);
  if (tag.size() > 2 && !IsNameStart(tag[1])) return 0;
  if (!std::all_of(tag.begin() + 1, tag.end() - 1, IsName)) return 0;
  return End(sql, sql.find(tag, tag.size()), tag.size());
}

enum class Token : uint8_t { kBlank, kQuoted, kName, kParameter, kMark };

// The token at the front of `sql`, and its length.
std::pair<Token, size_t> FirstToken(std::string_view sql) {
  const char c = sql[0];
  const char next = sql.size() > 1 ? sql[1] : '\0';
  if (sql.starts_with("--"))
    return {Token::kBlank, std::min(sql.find_first_of("\r\n"), sql.size())};
  if (sql.starts_with("/*")) return {Token::kBlank, CommentEnd(sql)};
  if (c == ' ' || (c >= '\t' && c <= '\r')) return {Token::kBlank, 1};
  if (c == '\'' || c == '"') return {Token::kQuoted, QuotedEnd(sql, false)};
  if ((c == 'e' || c == 'E') && next == '\'') {
    return {Token::kQuoted, 1 + QuotedEnd(sql.substr(1), true)};
  }
  if (c == '$') {
    if (const size_t end = DollarQuotedEnd(sql); end > 0) return {Token::kQuoted, end};
    const auto is_digit = [](char d) { return d >= '0' && d <= '9'; };
    const auto stop = std::find_if_not(sql.begin() + 1, sql.end(), is_digit);
    return {is_digit(next) ? Token::kParameter : Token::kMark,
            static_cast<size_t>(stop - sql.begin())};
  }
  if (!IsNameStart(c)) return {Token::kMark, 1};
  const auto stop = std::find_if_not(sql.begin(), sql.end(), IsName);
  return {Token::kName, static_cast<size_t>(stop - sql.begin())};
}

class Splitter {
 public:
  Splitter(std::string_view text, LeftOut* left_out) : text_(text), left_out_(left_out) {}

  std::vector<Piece> Split() {
    while (at_ < text_.size()) {
      if (text_[at_] == '\\') {
        TakeCommand();
        continue;
      }
      const auto [token, length] = FirstToken(text_.substr(at_));
      const std::string_view word = text_.substr(at_, length);
      if (token != Token::kBlank) blank_ = false;
      at_ += length;
      if (token == Token::kName) NoteName(Upper(word));
      if (token != Token::kMark) continue;
      if (word == ":") NoteVariable();
      if (word == "(") ++parentheses_;
      if (word == ")" && parentheses_ > 0) --parentheses_;
      if (word == ";" && parentheses_ == 0 && blocks_ == 0) EndStatement();
    }
    EndStatement();
    return std::move(pieces_);
  }

 private:
  // As psql does, so that the semicolons in BEGIN ATOMIC … END do not end the statement.
  void NoteName(std::string name) {
    names_.push_back(std::move(name));
    const std::string& last = names_.back();
    if (parentheses_ > 0 || names_[0] != "CREATE" || names_.size() < 2) return;
    const size_t at = names_[1] == "OR" && names_.size() > 3 ? 3 : 1;
    if (names_[at] != "FUNCTION" && names_[at] != "PROCEDURE") return;
    if (last == "BEGIN" || (last == "CASE" && blocks_ > 0)) ++blocks_;
    if (last == "END" && blocks_ > 0) --blocks_;
  }

  // ":name", ":'name'" behind a colon that is not one of two, as in a cast.
  void NoteVariable() {
    const bool second = at_ >= 2 && text_[at_ - 2] == ':';
    const char next = at_ < text_.size() ? text_[at_] : ' ';
    if (!second && (IsNameStart(next) || next == '\'' || next == '"' || next == '{'))
      variables_ = true;
  }

  // A backslash outside of everything: one of psql's own commands, up to the end of the line.
  void TakeCommand() {
    const size_t end = End(text_, text_.find('\n', at_), 1);
    const std::string_view command = text_.substr(at_, end - at_);
    if (command.starts_with("\\;")) {
      several_ = true;
      at_ += 2;
      return;
    }
    ++(*left_out_)["commands of psql"];
    // "\g", "\gset": what was written so far is run by it.
    const bool sends = command.starts_with("\\g") || command.starts_with("\\crosstab") ||
                       command.starts_with("\\watch");
    const size_t begin = std::exchange(at_, end);
    if (blank_) {
      Begin();
    } else if (sends) {
      ++(*left_out_)["statements that end with a command of psql"];
      Begin();
    } else {
      before_ += text_.substr(begin_, begin - begin_);
      begin_ = end;
    }
  }

  void Begin() {
    begin_ = at_;
    before_.clear();
    blank_ = true;
    several_ = variables_ = false;
    parentheses_ = blocks_ = 0;
    names_.clear();
  }

  void EndStatement() {
    const std::string sql = before_ + std::string(text_.substr(begin_, at_ - begin_));
    const std::string_view bare = SkipBlank(sql);
    if (several_) {
      ++(*left_out_)["several statements in one (\\;)"];
    } else if (variables_) {
      ++(*left_out_)["statements with variables of psql"];
    } else if (CopiesFromInput()) {
      ++(*left_out_)["COPY from the lines of the file"];
      at_ = End(text_, text_.find("\n\\.", at_), 3);
    } else if (!bare.empty()) {
      pieces_.push_back({LineOf(bare.size()), std::string(bare)});
    }
    Begin();
  }

  bool CopiesFromInput() const {
    if (names_.empty() || names_[0] != "COPY") return false;
    const auto from = std::find(names_.begin(), names_.end(), "FROM");
    return from != names_.end() && from + 1 != names_.end() && from[1] == "STDIN";
  }

  // Where what has `size` bytes and ends here begins.
  int LineOf(size_t size) {
    const size_t start = before_.empty() ? at_ - size : begin_;
    line_ += static_cast<int>(std::count(text_.begin() + static_cast<std::ptrdiff_t>(counted_),
                                         text_.begin() + static_cast<std::ptrdiff_t>(start), '\n'));
    counted_ = start;
    return line_;
  }

  const std::string_view text_;
  LeftOut* const left_out_;
  std::vector<Piece> pieces_;
  size_t at_ = 0;
  int line_ = 1;
  size_t counted_ = 0;

  // Of the statement that is being read: where it begins, what of it stands before a command of
  // psql's, its names in upper case.
  size_t begin_ = 0;
  std::string before_;
  std::vector<std::string> names_;
  size_t parentheses_ = 0;
  size_t blocks_ = 0;
  bool blank_ = true;
  bool several_ = false;
  bool variables_ = false;
};

}  // namespace

std::vector<Piece> SplitPsql(std::string_view text, LeftOut* left_out) {
  return Splitter(text, left_out).Split();
}

bool HasPostgresParameters(std::string_view sql) {
  // In these it is a parameter of what they define.
  static const std::set<std::string> defining = {"PREPARE", "CREATE", "ALTER"};
  if (defining.count(Verb(sql)) != 0) return false;
  while (!sql.empty()) {
    const auto [token, length] = FirstToken(sql);
    if (token == Token::kParameter) return true;
    sql.remove_prefix(length);
  }
  return false;
}

}  // namespace penstock::differential
