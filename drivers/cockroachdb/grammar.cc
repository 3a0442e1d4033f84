#include "drivers/cockroachdb/grammar.h"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "drivers/postgres/tokens.h"
#include "text/string_views.h"

namespace penstock::cockroachdb {
namespace {

using postgres::Syntax;
using postgres::Token;
using Verb = Syntax::Verb;

constexpr std::string_view kControl[] = {"abort",    "begin",   "commit",    "end",
                                         "rollback", "release", "savepoint", "start"};
// First words of statements on rows, on the session and on jobs. EXPLAIN and EXECUTE are not among
// them: what they run may be anything.
constexpr std::string_view kKeepsSchema[] = {
    "cancel", "declare", "delete", "fetch", "insert", "move",   "pause", "reset",  "resume",
    "select", "set",     "show",   "table", "update", "upsert", "use",   "values", "with"};

template <size_t N>
bool IsOneOf(std::string_view word, const std::string_view (&words)[N]) {
  return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

// The first word in small letters, behind white space, comments and parentheses; the text may
// be too long for anything else.
std::string FirstWord(std::string_view sql) {
  const auto is_space = [](char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; };
  size_t at = 0;
  while (at < sql.size()) {
    const std::string_view rest = sql.substr(at);
    if (is_space(rest[0]) || rest[0] == '(') {
      ++at;
    } else if (rest.starts_with("--")) {
      at = std::min(sql.find('\n', at), sql.size());
    } else if (rest.starts_with("/*")) {
      // They nest.
      int depth = 0;
      do {
        const std::string_view here = sql.substr(at, 2);
        const int change = here == "/*" ? 1 : here == "*/" ? -1 : 0;
        depth += change;
        at += change == 0 ? 1 : 2;
      } while (depth > 0 && at < sql.size());
    } else {
      break;
    }
  }
  std::string word;
  for (; at < sql.size() && std::isalpha(static_cast<unsigned char>(sql[at])) != 0; ++at) {
    word += static_cast<char>(std::tolower(static_cast<unsigned char>(sql[at])));
  }
  return word;
}

// Rewrites a text token by token.
class Rewriter {
 public:
  explicit Rewriter(std::string_view sql) : sql_(sql) {}

  // Nothing: there is nothing of CockroachDB's own in it that is known here.
  std::optional<std::string> Run() {
    std::optional<std::vector<Token>> scanned = postgres::Scan(sql_);
    if (!scanned.has_value()) return std::nullopt;
    tokens_ = *std::move(scanned);
    while (at_ < tokens_.size()) {
      if (!Step()) Copy();
    }
    if (!changed_) return std::nullopt;
    return text_;
  }
  std::set<std::string> TakeFunctions() { return std::move(functions_); }

 private:
  const Token* Peek(size_t ahead) const {
    return at_ + ahead < tokens_.size() ? &tokens_[at_ + ahead] : nullptr;
  }
  bool Is(size_t ahead, std::string_view word) const {
    const Token* token = Peek(ahead);
    return token != nullptr && (token->Is(word) || token->text == word);
  }
  // No space lies between the token there and the one before it.
  bool Touches(size_t ahead) const {
    const Token* token = Peek(ahead);
    if (token == nullptr || at_ + ahead == 0) return false;
    const std::string_view before = tokens_[at_ + ahead - 1].text;
    return before.data() + before.size() == token->text.data();
  }

  void Copy() {
    text_ += ' ';
    // Tokens that touched have to touch still: '1' 'x' and E'x' are other constants apart.
    if (Touches(0)) text_.pop_back();
    text_ += tokens_[at_++].text;
  }
  void Replace(size_t count, std::string_view by) {
    text_ += ' ';
    text_ += by;
    at_ += count;
    changed_ = true;
  }

  // How many tokens the brackets that begin there have, both of them included; 0: they do not
  // close.
  size_t Brackets(size_t ahead, std::string_view open, std::string_view close) const {
    int depth = 0;
    for (size_t i = ahead; Peek(i) != nullptr; ++i) {
      depth += static_cast<int>(Is(i, open)) - static_cast<int>(Is(i, close));
      if (depth == 0) return i + 1 - ahead;
    }
    return 0;
  }

  // False: the token is to be copied.
  bool Step() {
    if (Is(0, "upsert") && Is(1, "into")) {
      Replace(1, "INSERT");
      return true;
    }
    if (Is(0, "returning") && Is(1, "nothing")) {
      Replace(2, "");
      return true;
    }
    if (Is(0, "::") && Is(1, ":") && Touches(1)) {
      Replace(2, "::");
      return true;
    }
    if (at_ == 0 && Is(0, "explain") && Is(1, "analyze") && Is(2, "(") &&
        Brackets(2, "(", ")") > 0) {
      Replace(2 + Brackets(2, "(", ")"), "EXPLAIN ANALYZE");
      return true;
    }
    if (Is(0, "[") && Is(1, "show") && Brackets(0, "[", "]") > 0) {
      Replace(Brackets(0, "[", "]"), "show_as_table");
      return true;
    }
    if (Is(0, "@") && at_ > 0 && Touches(0)) return Hint();
    if (Is(0, "as") && Is(1, "of") && Is(2, "system") && Is(3, "time")) return SystemTime();
    return false;
  }

  bool Hint() {
    size_t count = 0;
    if (Is(1, "{")) {
      count = Brackets(1, "{", "}");
    } else if (Touches(1)) {
      count = 1;
    }
    if (count == 0) return false;
    Replace(1 + count, "");
    return true;
  }

  // A constant, or a call of a function with constants.
  bool SystemTime() {
    constexpr size_t kWords = 4;
    size_t count = 1;
    if (Is(kWords, "-")) ++count;
    const Token* value = Peek(kWords + count - 1);
    if (value == nullptr) return false;
    if (Is(kWords + 1, "(")) {
      count = 1 + Brackets(kWords + 1, "(", ")");
      if (count == 1) return false;
      for (size_t i = 0; i < count; ++i) {
        if (Is(kWords + i + 1, "(") && Peek(kWords + i)->word) {
          functions_.insert(absl::AsciiStrToLower(ToAbsl(Peek(kWords + i)->text)));
        }
      }
    }
    Replace(kWords + count, "");
    return true;
  }

  const std::string_view sql_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  std::string text_;
  bool changed_ = false;
  std::set<std::string> functions_;
};

}  // namespace

Syntax ReadGrammar(std::string_view sql) {
  const std::string first = FirstWord(sql);
  Syntax syntax;
  if (IsOneOf(first, kControl)) {
    syntax.verb = Verb::kTransaction;
    return syntax;
  }
  if (sql.size() <= postgres::kMaxSyntaxBytes) {
    Rewriter rewriter(sql);
    if (const std::optional<std::string> text = rewriter.Run(); text.has_value()) {
      syntax = postgres::ReadSyntax(*text);
      syntax.functions.merge(rewriter.TakeFunctions());
    }
    // Its parser knows the names of settings only.
    if (syntax.verb == Verb::kUnknown && first == "show" && postgres::Scan(sql).has_value()) {
      syntax = {};
      syntax.verb = Verb::kShow;
      syntax.only_reads = true;
    }
  }
  if (syntax.verb == Verb::kUnknown) syntax.keeps_schema = IsOneOf(first, kKeepsSchema);
  return syntax;
}

}  // namespace penstock::cockroachdb
