#include "tests/differential/text.h"

#include <algorithm>
#include <cctype>

#include "fmt/format.h"

namespace penstock::differential {
namespace {

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool IsWordCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' ||
         static_cast<unsigned char>(c) >= 0x80;
}

// Takes a quoted name from the front; false: there is none.
bool TakeQuoted(std::string_view* sql, std::string* name) {
  const char open = sql->front();
  if (open != '"' && open != '`' && open != '[' && open != '\'') return false;
  const size_t end = sql->find(open == '[' ? ']' : open, 1);
  if (end == std::string_view::npos) return false;
  *name = sql->substr(1, end - 1);
  sql->remove_prefix(end + 1);
  return true;
}

}  // namespace

std::string Upper(std::string_view text) {
  std::string upper(text);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return upper;
}

std::string Verb(std::string_view sql) {
  const std::vector<std::string> words = FirstWords(sql, 1);
  return words.empty() ? "" : Upper(words[0]);
}

std::string_view SkipBlank(std::string_view sql) {
  for (;;) {
    while (!sql.empty() && (IsSpace(sql.front()) || sql.front() == ';')) sql.remove_prefix(1);
    if (sql.starts_with("--")) {
      sql.remove_prefix(std::min(sql.find('\n'), sql.size()));
    } else if (sql.starts_with("/*")) {
      const size_t end = sql.find("*/", 2);
      sql.remove_prefix(end == std::string_view::npos ? sql.size() : end + 2);
    } else {
      return sql;
    }
  }
}

std::vector<std::string> FirstWords(std::string_view sql, size_t count) {
  std::vector<std::string> words;
  for (sql = SkipBlank(sql); words.size() < count && !sql.empty(); sql = SkipBlank(sql)) {
    std::string word;
    if (TakeQuoted(&sql, &word)) {
      words.push_back(word);
      continue;
    }
    const auto end = std::find_if_not(sql.begin(), sql.end(), IsWordCharacter);
    if (end == sql.begin()) break;
    words.emplace_back(sql.substr(0, static_cast<size_t>(end - sql.begin())));
    sql.remove_prefix(words.back().size());
  }
  return words;
}

Control ParseControl(std::string_view sql) {
  using Kind = Control::Kind;
  std::vector<std::string> words = FirstWords(sql, 6);
  if (words.empty()) return {};
  const auto is = [&](size_t at, std::initializer_list<std::string_view> names) {
    return at < words.size() &&
           std::find(names.begin(), names.end(), Upper(words[at])) != names.end();
  };
  // "COMMIT TRANSACTION", "RELEASE SAVEPOINT s": some words say nothing.
  const auto drop = [&](size_t at, std::initializer_list<std::string_view> names) {
    if (is(at, names)) words.erase(words.begin() + static_cast<std::ptrdiff_t>(at));
  };
  if (words.size() == 2 && is(0, {"SAVEPOINT"})) return {Kind::kSavepoint, words[1]};
  if (words.size() == 3 && is(0, {"RELEASE"})) drop(1, {"SAVEPOINT"});
  if (words.size() == 2 && is(0, {"RELEASE"})) return {Kind::kRelease, words[1]};
  if (is(0, {"BEGIN"})) drop(1, {"DEFERRED", "IMMEDIATE", "EXCLUSIVE"});
  const bool named = is(1, {"TRANSACTION"}) && words.size() == 3;
  drop(1, {"TRANSACTION", "WORK"});
  if (is(0, {"ROLLBACK"}) && is(1, {"TO"})) {
    if (words.size() == 4) drop(2, {"SAVEPOINT"});
    return words.size() == 3 ? Control{Kind::kRollbackTo, words[2]} : Control{};
  }
  // SQLite lets a transaction have a name, and forgets it.
  if (words.size() == 2 && named) words.pop_back();
  if (words.size() != 1) return {};
  if (is(0, {"BEGIN", "START"})) return {Kind::kBegin, ""};
  if (is(0, {"COMMIT", "END"})) return {Kind::kCommit, ""};
  if (is(0, {"ROLLBACK", "ABORT"})) return {Kind::kRollback, ""};
  return {};
}

std::string Printable(std::string_view text, size_t limit) {
  std::string printable;
  for (const char c : text) {
    if (printable.size() >= limit) return printable + "…";
    const bool plain = static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
    if (plain) {
      printable += c;
    } else if (c == '\n' || c == '\t' || c == '\r') {
      printable += ' ';
    } else {
      printable += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  return printable;
}

}  // namespace penstock::differential
