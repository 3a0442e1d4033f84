// Cuts a script into statements in one pass over its bytes, without parsing it.
//
// The splitter knows just enough of SQL to tell which semicolons end a statement: comments,
// strings, quoted names and dollar quotes hide theirs. Two kinds of statement have semicolons of
// their own, triggers of SQLite and routines of PostgreSQL with BEGIN ATOMIC. There the
// backend's own parser is asked whether the text so far is whole, and only at an END, as asking
// costs as much as the text is long. In a routine BEGIN, CASE and END are counted as well, which
// decides where the parser cannot read the text or was asked too often: the splitter then goes
// back to the first place at which counting ends the statement. at_ never passes the end of the
// script, and each step but going back moves it on. How often the parser is asked, how much it
// is given and how often the splitter goes back are bounded, whatever the script.
#include "migrations/splitter.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "absl/strings/ascii.h"
#include "drivers/api/error.h"
#include "fmt/format.h"
#include "migrations/completeness.h"
#include "text/string_views.h"

namespace penstock::migrations {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

bool IsSpace(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

bool IsWordStart(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0;
}

bool IsWord(char c) {
  return IsWordStart(c) || c == '$' || std::isdigit(static_cast<unsigned char>(c)) != 0;
}

class Splitter {
 public:
  Splitter(std::string_view script, const Syntax& syntax) : script_(script), syntax_(syntax) {}

  absl::StatusOr<std::vector<SqlStatement>> Run() {
    for (;;) {
      while (at_ < script_.size()) {
        absl::Status status = Step();
        if (!status.ok()) return status;
        if (statements_.size() > kMostStatements) return TooMany();
      }
      if (!open_ || IsWhole()) break;
      if (fallback_.end == 0) {
        if (in_routine_ && body_depth_ == 0) break;
        return Unfinished("the body of the statement", begin_);
      }
      GoBack();
    }
    EndStatement();
    return std::move(statements_);
  }

 private:
  char Peek(size_t ahead = 0) const {
    return at_ + ahead < script_.size() ? script_[at_ + ahead] : '\0';
  }

  absl::Status Unfinished(std::string_view what, size_t from) const {
    return MakeErrorWithHint(
        Reason::kSyntax,
        fmt::format("{} that begins in line {} is not terminated", what, LineAt(from)),
        "close it, or remove a stray quote before it");
  }

  static absl::Status TooMany() {
    return MakeErrorWithHint(
        Reason::kLimitExceeded,
        fmt::format("the file has more than {} statements", kMostStatements),
        "split it into several files, or write rows with one INSERT of many VALUES");
  }

  // Positions come in order but for that of an error: lines are counted on from
  // the last one.
  int LineAt(size_t position) const {
    if (position < counted_to_) return 1 + CountLineEnds(script_.substr(0, position));
    line_ += CountLineEnds(script_.substr(counted_to_, position - counted_to_));
    counted_to_ = position;
    return line_;
  }

  // Takes one token, comment or space.
  absl::Status Step() {
    const char c = Peek();
    if (IsSpace(c)) {
      ++at_;
      return absl::OkStatus();
    }
    if (c == '-' && Peek(1) == '-') {
      at_ = std::min(script_.find_first_of(syntax_.return_ends_comments ? "\r\n" : "\n", at_),
                     script_.size());
      return absl::OkStatus();
    }
    if (c == '/' && Peek(1) == '*') return SkipComment();
    if (c == ';') {
      Semicolon();
      return absl::OkStatus();
    }
    Open();
    const bool first_of_part = std::exchange(after_semicolon_, false);
    ends_with_end_ = false;
    absl::Status status = Token(c);
    ends_with_end_ = ends_with_end_ && (!in_trigger_ || first_of_part);
    end_ = at_;
    return status;
  }

  absl::Status Token(char c) {
    if (IsWordStart(c)) return Word();
    if (c == '\'') return SkipQuoted('\'', "the string", false);
    if (c == '"') return SkipQuoted('"', "the quoted name", false);
    if (syntax_.bracket_names && c == '`') return SkipQuoted('`', "the quoted name", false);
    if (syntax_.bracket_names && c == '[') return SkipQuoted(']', "the quoted name", false);
    if (syntax_.dollar_quotes && c == '$') return SkipDollarQuoted();
    if (std::isdigit(static_cast<unsigned char>(c)) != 0) {
      while (at_ < script_.size() && IsWord(Peek())) ++at_;
      return absl::OkStatus();
    }
    if (c == '(') ++parentheses_;
    if (c == ')' && parentheses_ > 0) --parentheses_;
    ++at_;
    return absl::OkStatus();
  }

  absl::Status SkipComment() {
    const size_t from = at_;
    int depth = 0;
    do {
      if (at_ >= script_.size()) return Unfinished("the comment", from);
      if (Peek() == '*' && Peek(1) == '/') {
        --depth;
        at_ += 2;
      } else if (Peek() == '/' && Peek(1) == '*' && (depth == 0 || syntax_.nested_comments)) {
        ++depth;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (depth > 0);
    return absl::OkStatus();
  }

  // A doubled quote ends one part and begins the next, which comes to the same.
  absl::Status SkipQuoted(char quote, std::string_view what, bool backslashes) {
    const size_t from = at_;
    for (++at_; at_ < script_.size(); ++at_) {
      if (backslashes && Peek() == '\\') {
        ++at_;
      } else if (Peek() == quote) {
        ++at_;
        return absl::OkStatus();
      }
    }
    at_ = script_.size();
    return Unfinished(what, from);
  }

  absl::Status SkipDollarQuoted() {
    const size_t from = at_;
    size_t end = at_ + 1;
    while (end < script_.size() && IsWord(script_[end]) && script_[end] != '$') ++end;
    const bool tag = end < script_.size() && script_[end] == '$' &&
                     (end == at_ + 1 || IsWordStart(script_[at_ + 1]));
    if (!tag) {  // a parameter
      ++at_;
      return absl::OkStatus();
    }
    const std::string_view delimiter = script_.substr(at_, end + 1 - at_);
    const size_t close = script_.find(delimiter, end + 1);
    if (close == std::string_view::npos) return Unfinished("the dollar-quoted string", from);
    at_ = close + delimiter.size();
    return absl::OkStatus();
  }

  absl::Status Word() {
    const size_t from = at_;
    while (at_ < script_.size() && IsWord(Peek())) ++at_;
    const std::string word = absl::AsciiStrToUpper(ToAbsl(script_.substr(from, at_ - from)));
    if (syntax_.dollar_quotes && word == "E" && Peek() == '\'') {
      return SkipQuoted('\'', "the string", true);
    }
    NoteWord(word);
    return absl::OkStatus();
  }

  void NoteWord(const std::string& word) {
    const bool atomic = word == "ATOMIC" && last_word_ == "BEGIN";
    if (word_count_ < SqlStatement::kWords) {
      if (word_count_++ > 0) current_.words += ' ';
      current_.words += word;
    }
    if (syntax_.trigger_bodies && word == "TRIGGER" && IsTriggerHead()) in_trigger_ = true;
    if (syntax_.atomic_bodies) {
      if (atomic && !in_routine_ && IsRoutine()) {
        in_routine_ = true;
        body_depth_ = 1;
      } else if (body_depth_ > 0 && (word == "CASE" || word == "BEGIN")) {
        ++body_depth_;
      } else if (body_depth_ > 0 && word == "END") {
        --body_depth_;
      }
    }
    ends_with_end_ = word == "END";
    last_word_ = word;
  }

  // The word TRIGGER is one of the first.
  bool IsTriggerHead() const {
    constexpr size_t kLast = 6;  // EXPLAIN QUERY PLAN CREATE TEMP TRIGGER
    return word_count_ <= kLast && current_.HasWord("CREATE");
  }

  bool IsRoutine() const {
    return current_.StartsWith({"CREATE"}) &&
           (current_.HasWord("FUNCTION") || current_.HasWord("PROCEDURE"));
  }

  void Open() {
    if (open_) return;
    open_ = true;
    begin_ = at_;
    end_ = at_;
    current_.line = LineAt(at_);
    current_.offset = at_;
  }

  std::string_view Text() const { return script_.substr(begin_, end_ - begin_); }

  // The statement at hand is one as far as it goes.
  bool IsWhole() {
    if (in_trigger_) return IsWholeForSqlite(Text());
    if (!in_routine_) return true;
    if (IsTooMuchToParse()) return body_depth_ == 0;
    ++parsed_;
    return IsWholeForPostgres(Text());
  }

  // Then counting decides alone.
  bool IsTooMuchToParse() const {
    return end_ - begin_ > kLongestParsed || parsed_ >= kMostParsed || gone_back_ >= kMostGoneBack;
  }

  // Asking costs as much as the statement is long, so who knows is asked only where an
  // answer can be new: bodies end with END, a trigger's with one of its own.
  bool MayBeWhole() const {
    return (!in_trigger_ && !in_routine_) || parts_ == 0 || ends_with_end_;
  }

  void Semicolon() {
    const bool whole = (!syntax_.atomic_bodies || parentheses_ == 0) && MayBeWhole() && IsWhole();
    ++at_;
    ++parts_;
    after_semicolon_ = true;
    if (whole || !open_) return EndStatement();
    if (in_routine_ && body_depth_ == 0 && fallback_.end == 0) {
      fallback_ = {.end = end_, .after = at_, .words_size = current_.words.size()};
    }
    end_ = at_;
    if (fallback_.end != 0 && IsTooMuchToParse()) GoBack();
  }

  // The parser finds no end of the routine: it is where counting found one.
  void GoBack() {
    ++gone_back_;
    end_ = fallback_.end;
    at_ = fallback_.after;
    current_.words.resize(fallback_.words_size);
    EndStatement();
  }

  void EndStatement() {
    if (open_) {
      current_.text = Text();
      statements_.push_back(std::move(current_));
    }
    current_ = {};
    word_count_ = 0;
    last_word_.clear();
    open_ = in_trigger_ = in_routine_ = false;
    after_semicolon_ = ends_with_end_ = false;
    body_depth_ = parentheses_ = parts_ = parsed_ = 0;
    fallback_ = {};
  }

  // These bound one statement and the script, so that no text makes the parser work without end.
  static constexpr int kMostParsed = 100;
  static constexpr int kMostGoneBack = 100;

  const std::string_view script_;
  const Syntax& syntax_;
  size_t at_ = 0;
  int gone_back_ = 0;
  mutable size_t counted_to_ = 0;
  mutable int line_ = 1;
  std::vector<SqlStatement> statements_;

  // These describe the statement at hand.
  bool open_ = false;
  size_t begin_ = 0;
  size_t end_ = 0;
  SqlStatement current_;
  size_t word_count_ = 0;  // in current_.words
  std::string last_word_;
  int parentheses_ = 0;
  int body_depth_ = 0;  // of BEGIN ATOMIC
  int parts_ = 0;       // between semicolons
  int parsed_ = 0;      // times that the parser has read it
  bool after_semicolon_ = false;
  bool ends_with_end_ = false;
  bool in_trigger_ = false;
  bool in_routine_ = false;  // one with BEGIN ATOMIC
  // The place at which its body ends by counting; `end` is 0: it has not ended so far.
  struct Fallback {
    size_t end = 0;
    size_t after = 0;
    size_t words_size = 0;
  };
  Fallback fallback_;
};

}  // namespace

int CountLineEnds(std::string_view text) {
  int count = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool pair = text[i] == '\r' && i + 1 < text.size() && text[i + 1] == '\n';
    if (text[i] == '\n' || (text[i] == '\r' && !pair)) ++count;
  }
  return count;
}

Syntax SqliteSyntax() { return {.bracket_names = true, .trigger_bodies = true}; }

Syntax PostgresSyntax() {
  return {.nested_comments = true,
          .return_ends_comments = true,
          .dollar_quotes = true,
          .atomic_bodies = true};
}

bool SqlStatement::StartsWith(std::initializer_list<std::string_view> wanted) const {
  std::string_view rest = words;
  for (const std::string_view word : wanted) {
    if (rest.substr(0, rest.find(' ')) != word) return false;
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
  }
  return true;
}

bool SqlStatement::HasWord(std::string_view wanted) const {
  for (size_t at = 0; (at = words.find(wanted, at)) != std::string::npos; ++at) {
    const size_t end = at + wanted.size();
    if ((at == 0 || words[at - 1] == ' ') && (end == words.size() || words[end] == ' ')) {
      return true;
    }
  }
  return false;
}

std::string_view SqlStatement::Word(size_t index) const {
  std::string_view rest = words;
  for (; index > 0 && !rest.empty(); --index) {
    rest.remove_prefix(std::min(rest.find(' '), rest.size() - 1) + 1);
  }
  return rest.substr(0, rest.find(' '));
}

bool SqlStatement::BeginsTransaction() const {
  return StartsWith({"BEGIN"}) || StartsWith({"START", "TRANSACTION"});
}

bool SqlStatement::EndsTransaction() const { return StartsWith({"COMMIT"}) || StartsWith({"END"}); }

bool SqlStatement::StartsAnother() const { return HasWord("CHAIN") && !HasWord("NO"); }

absl::StatusOr<std::vector<SqlStatement>> SplitSql(std::string_view script, const Syntax& syntax) {
  return Splitter(script, syntax).Run();
}

}  // namespace penstock::migrations
