// Inspect: the little that the text of a statement has to say by itself.
#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "drivers/postgres/statement.h"

namespace penstock::postgres {
namespace {

// Functions of PostgreSQL and words of SQL that stand before a parenthesis and
// leave nothing behind in a session. Any other may: a function of the user's,
// set_config, pg_advisory_lock.
bool IsHarmless(std::string_view word) {
  static const auto& words = *new std::unordered_set<std::string_view>{"abs",
                                                                       "age",
                                                                       "all",
                                                                       "and",
                                                                       "any",
                                                                       "array",
                                                                       "array_agg",
                                                                       "array_length",
                                                                       "as",
                                                                       "avg",
                                                                       "between",
                                                                       "bigint",
                                                                       "bit",
                                                                       "bool_and",
                                                                       "bool_or",
                                                                       "btrim",
                                                                       "by",
                                                                       "cardinality",
                                                                       "case",
                                                                       "cast",
                                                                       "ceil",
                                                                       "ceiling",
                                                                       "char",
                                                                       "char_length",
                                                                       "character",
                                                                       "check",
                                                                       "clock_timestamp",
                                                                       "coalesce",
                                                                       "concat",
                                                                       "concat_ws",
                                                                       "conflict",
                                                                       "count",
                                                                       "current_setting",
                                                                       "date_part",
                                                                       "date_trunc",
                                                                       "decimal",
                                                                       "decode",
                                                                       "default",
                                                                       "dense_rank",
                                                                       "distinct",
                                                                       "else",
                                                                       "encode",
                                                                       "except",
                                                                       "exists",
                                                                       "exp",
                                                                       "extract",
                                                                       "filter",
                                                                       "first_value",
                                                                       "float",
                                                                       "floor",
                                                                       "format",
                                                                       "from",
                                                                       "gen_random_uuid",
                                                                       "generate_series",
                                                                       "greatest",
                                                                       "having",
                                                                       "in",
                                                                       "initcap",
                                                                       "interval",
                                                                       "json_agg",
                                                                       "json_build_object",
                                                                       "jsonb_agg",
                                                                       "jsonb_build_object",
                                                                       "key",
                                                                       "lag",
                                                                       "last_value",
                                                                       "lateral",
                                                                       "lead",
                                                                       "least",
                                                                       "left",
                                                                       "length",
                                                                       "lower",
                                                                       "lpad",
                                                                       "ltrim",
                                                                       "max",
                                                                       "md5",
                                                                       "min",
                                                                       "mod",
                                                                       "not",
                                                                       "now",
                                                                       "nullif",
                                                                       "numeric",
                                                                       "octet_length",
                                                                       "on",
                                                                       "or",
                                                                       "over",
                                                                       "overlay",
                                                                       "pg_backend_pid",
                                                                       "pg_sleep",
                                                                       "pg_typeof",
                                                                       "position",
                                                                       "power",
                                                                       "random",
                                                                       "rank",
                                                                       "regexp_replace",
                                                                       "repeat",
                                                                       "replace",
                                                                       "right",
                                                                       "round",
                                                                       "row",
                                                                       "row_number",
                                                                       "row_to_json",
                                                                       "rpad",
                                                                       "rtrim",
                                                                       "select",
                                                                       "set",
                                                                       "some",
                                                                       "split_part",
                                                                       "sqrt",
                                                                       "string_agg",
                                                                       "substring",
                                                                       "sum",
                                                                       "then",
                                                                       "time",
                                                                       "timestamp",
                                                                       "to_char",
                                                                       "to_date",
                                                                       "to_json",
                                                                       "to_jsonb",
                                                                       "to_timestamp",
                                                                       "trim",
                                                                       "trunc",
                                                                       "union",
                                                                       "unique",
                                                                       "unnest",
                                                                       "upper",
                                                                       "using",
                                                                       "values",
                                                                       "varchar",
                                                                       "varying",
                                                                       "version",
                                                                       "when",
                                                                       "where",
                                                                       "while",
                                                                       "with",
                                                                       "within",
                                                                       "xor"};
  return words.contains(word);
}

bool IsWordStart(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || (c & 0x80) != 0;
}
bool IsWord(char c) {
  return IsWordStart(c) || c == '$' || std::isdigit(static_cast<unsigned char>(c)) != 0;
}

// Reads words and marks; skips comments, white space and what is quoted.
class Scanner {
 public:
  explicit Scanner(std::string_view sql) : rest_(sql) {}

  // The next word in lower case, or a mark of one character. False: the end.
  bool Next(std::string* token) {
    for (;;) {
      if (rest_.empty()) return false;
      if (SkipBlank()) continue;
      const char c = rest_.front();
      if (c == '\'' || c == '"') {
        // A string or a quoted name: neither is a word of SQL.
        const bool name = c == '"';
        SkipQuoted(c);
        *token = name ? "\"" : "'";
        return true;
      }
      if (c == '$' && SkipDollarQuoted()) {
        *token = "'";
        return true;
      }
      if (!IsWordStart(c)) {
        *token = std::string(1, c);
        rest_.remove_prefix(1);
        return true;
      }
      const auto end = std::find_if_not(rest_.begin(), rest_.end(), IsWord);
      token->assign(rest_.begin(), end);
      std::transform(token->begin(), token->end(), token->begin(),
                     [](unsigned char l) { return static_cast<char>(std::tolower(l)); });
      rest_.remove_prefix(token->size());
      return true;
    }
  }

 private:
  bool SkipBlank() {
    if (std::isspace(static_cast<unsigned char>(rest_.front())) != 0) {
      rest_.remove_prefix(1);
      return true;
    }
    if (rest_.starts_with("--")) {
      rest_.remove_prefix(std::min(rest_.find('\n'), rest_.size()));
      return true;
    }
    if (!rest_.starts_with("/*")) return false;
    int depth = 0;
    do {  // they nest
      if (rest_.starts_with("/*")) {
        ++depth;
        rest_.remove_prefix(2);
      } else if (rest_.starts_with("*/")) {
        --depth;
        rest_.remove_prefix(2);
      } else {
        rest_.remove_prefix(1);
      }
    } while (depth > 0 && !rest_.empty());
    return true;
  }

  // A doubled quote ends one part and begins the next, which comes to the same.
  // A backslash in an E'' string may hide a quote: then words of the string are
  // taken for words of SQL, which errs on the careful side.
  void SkipQuoted(char quote) {
    const size_t end = rest_.find(quote, 1);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  }

  bool SkipDollarQuoted() {
    const size_t end = rest_.find('$', 1);
    if (end == std::string_view::npos) return false;
    const std::string_view tag = rest_.substr(0, end + 1);
    if (!std::all_of(tag.begin() + 1, tag.end() - 1, IsWord) ||
        (tag.size() > 2 && !IsWordStart(tag[1]))) {
      return false;
    }
    const size_t close = rest_.find(tag, tag.size());
    rest_.remove_prefix(close == std::string_view::npos ? rest_.size() : close + tag.size());
    return true;
  }

  std::string_view rest_;
};

bool ControlsTransaction(const std::string& first, const std::string& second) {
  constexpr std::array<std::string_view, 7> kAlways = {"abort",    "begin",     "commit", "end",
                                                       "rollback", "savepoint", "release"};
  if (std::find(kAlways.begin(), kAlways.end(), first) != kAlways.end()) return true;
  return (first == "start" || first == "prepare") && second == "transaction";
}

bool ReadsOnly(const std::string& first) {
  return first == "select" || first == "values" || first == "table" || first == "show";
}

// Statements that touch tables alone, as far as their first word tells.
bool IsPlain(const std::string& first) {
  return ReadsOnly(first) || first == "with" || first == "insert" || first == "update" ||
         first == "delete" || first == "merge" || first == "truncate" || first == "explain" ||
         first == "vacuum" || first == "analyze";
}

bool IsTemporary(const std::string& word) {
  return word == "temp" || word == "temporary" || word == "pg_temp";
}

}  // namespace

Text Inspect(std::string_view sql) {
  Text text;
  Scanner scanner(sql);
  std::string first;
  std::string second;
  std::string before;  // the word before the current token
  std::string earlier;
  std::string token;
  int words = 0;
  bool streams = false;
  while (scanner.Next(&token)) {
    if (words == 0 && (token == ";" || token == "(")) continue;
    ++words;
    if (words == 1) first = token;
    if (words == 2) second = token;
    if (token == "stdin" || token == "stdout") streams = true;
    // "INSERT INTO t (", "AS t (": a table, not a function.
    const bool call = token == "(" && !before.empty() && (IsWordStart(before[0]) || before == "\"");
    if (IsTemporary(token) ||
        (call && earlier != "into" && earlier != "as" && !IsHarmless(before))) {
      text.may_change_session = true;
    }
    earlier = std::exchange(before, token);
  }
  text.empty = words == 0;
  text.controls_transaction = ControlsTransaction(first, second);
  text.copies = first == "copy" && streams;
  text.reads = ReadsOnly(first);
  text.drops_prepared = first == "prepare" || first == "deallocate" || first == "discard";
  constexpr std::array<std::string_view, 5> kDefines = {"create", "alter", "drop", "grant",
                                                        "comment"};
  const bool defines = std::find(kDefines.begin(), kDefines.end(), first) != kDefines.end();
  // What defines things has parentheses of all sorts; a temporary one says so.
  if (!IsPlain(first) && !defines) text.may_change_session = true;
  return text;
}

}  // namespace penstock::postgres
