#include "drivers/sqlite_engine/key_name.h"

#include <sqlite3.h>
#include <strings.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "drivers/sqlite_engine/characters.h"

namespace penstock::sqlite_engine {
namespace {

bool SameName(std::string_view a, std::string_view b) {
  return a.size() == b.size() && strncasecmp(a.data(), b.data(), a.size()) == 0;
}

struct Token {
  std::string text;
  // In quotes of any sort: a name or a text, and never a word of the language.
  bool quoted = false;

  bool Is(std::string_view word) const { return !quoted && SameName(text, word); }
};

// Returns the end of the comment or space that begins at `at`; `at` if there is none.
size_t SkipSpace(std::string_view sql, size_t at) {
  if (sql.substr(at, 2) == "--") return std::min(sql.find('\n', at), sql.size());
  if (sql.substr(at, 2) == "/*") {
    const size_t end = sql.find("*/", at + 2);
    return end == std::string_view::npos ? sql.size() : end + 2;
  }
  return std::min(sql.find_first_not_of(" \t\n\f\r", at), sql.size());
}

// Reads the quoted token that begins at `*at`, and moves `*at` behind it. A doubled `close` stands
// for itself.
Token Quoted(std::string_view sql, char close, size_t* at) {
  Token token{.text = {}, .quoted = true};
  for (++*at; *at < sql.size(); ++*at) {
    if (sql[*at] == close) {
      if (close == ']' || *at + 1 == sql.size() || sql[*at + 1] != close) break;
      ++*at;
    }
    token.text += sql[*at];
  }
  ++*at;
  return token;
}

std::vector<Token> TokensOf(std::string_view sql) {
  std::vector<Token> tokens;
  for (size_t at = 0; at < sql.size();) {
    const char first = sql[at];
    if (const size_t behind = SkipSpace(sql, at); behind != at) {
      at = behind;
    } else if (first == '"' || first == '\'' || first == '`' || first == '[') {
      tokens.push_back(Quoted(sql, first == '[' ? ']' : first, &at));
    } else {
      size_t end = at;
      while (end < sql.size() && IsNameCharacter(sql[end])) ++end;
      end = std::max(end, at + 1);
      tokens.push_back({.text = std::string(sql.substr(at, end - at))});
      at = end;
    }
  }
  return tokens;
}

// Reads the parts of a CREATE TABLE, one token after the other.
class Definition {
 public:
  Definition(std::string_view table, std::string_view keys) : table_(table), keys_(keys) {}

  // Whether the key has been found.
  bool Add(const Token& token) {
    if (token.Is("(") && ++depth_ == 1) return false;
    if (token.Is(")")) --depth_;
    if (depth_ < 1) return EndKey();
    if (depth_ == 1 && token.Is(",")) return EndPart();
    if (depth_ == 1) return AddWord(token);
    // In the parentheses behind UNIQUE: a name, then perhaps COLLATE or DESC.
    if (in_key_ && depth_ == 2 && token.Is(",")) wants_column_ = true;
    if (in_key_ && depth_ == 2 && !token.Is(",") && !token.Is("(") && wants_column_) {
      AddColumn(token.text);
      wants_column_ = false;
    }
    return false;
  }

  const std::string& name() const { return name_; }

 private:
  bool AddWord(const Token& token) {
    if (token.Is(")")) return EndKey();
    const bool is_key = token.Is("UNIQUE") || token.Is("PRIMARY");
    const bool at_first = std::exchange(at_first_, false);
    if (wants_name_) {
      name_ = token.text;
      wants_name_ = false;
    } else if (token.Is("CONSTRAINT")) {
      if (EndKey()) return true;
      wants_name_ = true;
    } else if (is_key) {
      if (EndKey()) return true;
      in_key_ = wants_column_ = true;
      columns_.clear();
    } else if (token.Is("CHECK") || token.Is("FOREIGN") || token.Is("REFERENCES") ||
               token.Is("NOT") || token.Is("DEFAULT") || token.Is("COLLATE")) {
      if (EndKey()) return true;
      name_.clear();
    } else if (at_first) {
      column_ = token.text;
    }
    return false;
  }

  void AddColumn(std::string_view column) {
    if (!columns_.empty()) columns_ += ", ";
    columns_.append(table_).append(".").append(column);
  }

  // The key, if there is one, ends here: whether it is the one that is looked for.
  bool EndKey() {
    if (!in_key_) return false;
    in_key_ = false;
    if (columns_.empty()) AddColumn(column_);
    if (SameName(columns_, keys_)) return true;
    name_.clear();
    return false;
  }

  bool EndPart() {
    if (EndKey()) return true;
    name_.clear();
    column_.clear();
    at_first_ = true;
    return false;
  }

  const std::string_view table_;
  const std::string_view keys_;
  int depth_ = 0;
  bool at_first_ = true;
  bool wants_name_ = false;
  bool in_key_ = false;
  bool wants_column_ = false;
  std::string column_;
  std::string columns_;
  std::string name_;
};

using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

Statement Prepared(sqlite3* db, std::string_view sql, const std::string& table) {
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(db, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (statement != nullptr) sqlite3_bind_text(statement, 1, table.c_str(), -1, SQLITE_STATIC);
  return {statement, sqlite3_finalize};
}

std::string TextOf(sqlite3_stmt* statement) {
  const unsigned char* text = sqlite3_column_text(statement, 0);
  return text == nullptr ? "" : reinterpret_cast<const char*>(text);
}

}  // namespace

std::string NameInDefinition(std::string_view sql, std::string_view table, std::string_view keys) {
  Definition definition(table, keys);
  for (const Token& token : TokensOf(sql)) {
    if (definition.Add(token)) return definition.name();
  }
  return "";
}

std::string NameOfKey(sqlite3* db, const std::string& table, const std::string& keys) {
  const Statement indexes = Prepared(
      db,
      "SELECT iif(origin = 'c', name, NULL) FROM pragma_index_list(?1) AS list WHERE \"unique\" "
      "AND lower(?2) = (SELECT lower(group_concat(?1 || '.' || name, ', ')) FROM "
      "pragma_index_info(list.name))",
      table);
  if (indexes == nullptr) return "";
  sqlite3_bind_text(indexes.get(), 2, keys.c_str(), -1, SQLITE_STATIC);
  std::string name;
  if (sqlite3_step(indexes.get()) == SQLITE_ROW) {
    name = TextOf(indexes.get());
    if (sqlite3_step(indexes.get()) != SQLITE_DONE) return "";
  }
  if (!name.empty()) return name;
  const Statement definition = Prepared(
      db, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower(?1)", table);
  if (definition == nullptr || sqlite3_step(definition.get()) != SQLITE_ROW) return "";
  return NameInDefinition(TextOf(definition.get()), table, keys);
}

}  // namespace penstock::sqlite_engine
