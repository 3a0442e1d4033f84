// Names, keys and texts of strangers never change what a statement is: PostgreSQL's own parser and
// SQLite's see the same statement whatever they are.
#include <pg_query.h>
#include <sqlite3.h>

#include <random>
#include <regex>
#include <set>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/sql.h"

namespace penstock::testing {
namespace {

using sql::Asc;
using sql::Dialect;
using sql::Select;

constexpr int kRounds = 400;

// Texts that are made of what has a meaning somewhere.
class Hostile {
 public:
  explicit Hostile(unsigned seed) : random_(seed) {}

  std::string Text(size_t most) {
    static const std::vector<std::string> kParts = {"\"",
                                                    "'",
                                                    "''",
                                                    "\"\"",
                                                    ";",
                                                    "--",
                                                    "/*",
                                                    "*/",
                                                    "\\",
                                                    "$1",
                                                    "$$",
                                                    "$a$",
                                                    "`",
                                                    "[",
                                                    "]",
                                                    "(",
                                                    ")",
                                                    ",",
                                                    ".",
                                                    "?",
                                                    ":x",
                                                    "@x",
                                                    "%",
                                                    "_",
                                                    "*",
                                                    "\n",
                                                    "\r",
                                                    "\t",
                                                    "\x01",
                                                    "\x7f",
                                                    " OR 1=1 ",
                                                    " UNION SELECT ",
                                                    "DROP TABLE t",
                                                    " AS ",
                                                    "select",
                                                    "E'",
                                                    "U&\"",
                                                    "x'",
                                                    "->",
                                                    "->>",
                                                    "#>",
                                                    "{}",
                                                    "{a}",
                                                    "a",
                                                    "B",
                                                    "0",
                                                    "é",
                                                    "世",
                                                    "\xE2\x80\xAE",
                                                    "' ESCAPE '",
                                                    "\" \""};
    std::string text;
    const size_t parts = 1 + random_() % 6;
    for (size_t i = 0; i < parts; ++i) {
      const std::string& part = kParts[random_() % kParts.size()];
      if (text.size() + part.size() <= most) text += part;
    }
    return text.empty() ? "a" : text;
  }

 private:
  std::mt19937 random_;
};

// Everything that a program may have from somebody else.
struct Words {
  std::string table;
  std::string alias;
  std::string column;
  std::string other;
  std::string key;
  std::string text;
};

auto ReadStatement(const Words& words) {
  const sql::DynTable table = sql::Dyn(words.table, words.alias);
  const auto column = table.Column<std::string>(words.column);
  const auto document = table.Column<Json>(words.other);
  return Select(column, sql::JsonAt<std::string>(document, words.key, 0), sql::Literal(words.text))
      .From(table)
      .Where(column == words.text && sql::HasPrefix(column, words.text) &&
             sql::In(column, {words.text, words.key}))
      .OrderBy(Asc(column))
      .After(sql::Cursor({words.text}))
      .Limit(1);
}

auto WriteStatement(const Words& words) {
  const sql::DynTable table = sql::Dyn(words.table);
  const auto column = table.Column<std::string>(words.column);
  const auto other = table.Column<std::string>(words.other);
  return sql::InsertInto(table)
      .Set(column, words.text)
      .Set(other, words.key)
      .OnConflict(column)
      .UpdateTo(other, sql::Excluded(other) + words.text)
      .Returning(column);
}

// What PostgreSQL's parser makes of it, with names and places left out.
std::string Structure(const std::string& text) {
  const PgQueryParseResult parsed = pg_query_parse(text.c_str());
  std::string tree =
      parsed.error == nullptr ? parsed.parse_tree : "error: " + std::string(parsed.error->message);
  pg_query_free_parse_result(parsed);
  // Strings one after another by hand: std::regex is recursive in their length.
  std::string masked;
  for (size_t i = 0; i < tree.size(); ++i) {
    if (tree[i] != '"') {
      masked += tree[i];
      continue;
    }
    size_t end = i + 1;
    while (end < tree.size() && tree[end] != '"') end += tree[end] == '\\' ? 2 : 1;
    const bool is_key = end + 1 < tree.size() && tree[end + 1] == ':';
    masked += is_key ? tree.substr(i, end - i + 1) : "\"?\"";
    i = end;
  }
  static const std::regex place("\"(location|stmt_location|stmt_len)\":[0-9]+");
  return std::regex_replace(masked, place, "\"at\":0");
}

TEST(SqlInjectionTest, PostgresParsesTheSameStatement) {
  const Words plain = {"t", "u", "c", "d", "k", "x"};
  const std::string read = Structure(ReadStatement(plain).Build(Dialect::kPostgres)->text);
  const std::string written = Structure(WriteStatement(plain).Build(Dialect::kPostgres)->text);
  ASSERT_EQ(read.find("error"), std::string::npos) << read;
  ASSERT_EQ(written.find("error"), std::string::npos) << written;
  Hostile hostile(1);
  for (int i = 0; i < kRounds; ++i) {
    const Words words = {hostile.Text(60),       hostile.Text(60),  hostile.Text(60),
                         hostile.Text(59) + "2", hostile.Text(200), hostile.Text(200)};
    for (const Dialect dialect : {Dialect::kPostgres, Dialect::kCockroachDb}) {
      const auto reading = ReadStatement(words).Build(dialect);
      ASSERT_TRUE(reading.ok()) << reading.status();
      EXPECT_EQ(Structure(reading->text), read) << reading->text;
      const auto writing = WriteStatement(words).Build(dialect);
      ASSERT_TRUE(writing.ok()) << writing.status();
      EXPECT_EQ(Structure(writing->text), written) << writing->text;
    }
  }
}

class SqliteParser {
 public:
  SqliteParser() { EXPECT_EQ(sqlite3_open(":memory:", &db_), SQLITE_OK); }
  ~SqliteParser() { sqlite3_close(db_); }

  // A table that is called so, by SQLite's own quoting.
  void Create(const Words& words) {
    char* create = sqlite3_mprintf("CREATE TABLE \"%w\" (\"%w\" PRIMARY KEY, \"%w\")",
                                   words.table.c_str(), words.column.c_str(), words.other.c_str());
    ASSERT_EQ(sqlite3_exec(db_, create, nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(db_) << " " << create;
    sqlite3_free(create);
  }
  void Drop(const Words& words) {
    char* drop = sqlite3_mprintf("DROP TABLE \"%w\"", words.table.c_str());
    ASSERT_EQ(sqlite3_exec(db_, drop, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_free(drop);
  }

  // What it does, and with which names: "read t.c", "select".
  std::set<std::string> Actions(const sql::Built& built) {
    actions_.clear();
    sqlite3_set_authorizer(db_, &Authorize, this);
    sqlite3_stmt* statement = nullptr;
    const char* rest = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(db_, built.text.c_str(), static_cast<int>(built.text.size()),
                                 &statement, &rest),
              SQLITE_OK)
        << sqlite3_errmsg(db_) << " " << built.text;
    EXPECT_STREQ(rest, "");
    EXPECT_EQ(sqlite3_bind_parameter_count(statement), static_cast<int>(built.args.size()));
    sqlite3_finalize(statement);
    sqlite3_set_authorizer(db_, nullptr, nullptr);
    return actions_;
  }

 private:
  static int Authorize(void* self, int action, const char* first, const char* second, const char*,
                       const char*) {
    static_cast<SqliteParser*>(self)->actions_.insert(std::to_string(action) + " " +
                                                      (first == nullptr ? "" : first) + "|" +
                                                      (second == nullptr ? "" : second));
    return SQLITE_OK;
  }

  sqlite3* db_ = nullptr;
  std::set<std::string> actions_;
};

TEST(SqlInjectionTest, SqliteParsesTheSameStatement) {
  SqliteParser parser;
  Hostile hostile(2);
  int built_keys = 0;
  for (int i = 0; i < kRounds; ++i) {
    const Words words = {hostile.Text(60) + "t", hostile.Text(60),  hostile.Text(60),
                         hostile.Text(59) + "2", hostile.Text(200), hostile.Text(200)};
    parser.Create(words);
    const std::string table = words.table;
    const auto reading = ReadStatement(words).Build(Dialect::kSqlite);
    // A key that SQLite's paths cannot say is refused, and nothing else.
    if (reading.ok()) {
      ++built_keys;
      EXPECT_EQ(parser.Actions(*reading),
                (std::set<std::string>{"20 " + table + "|" + words.column,
                                       "20 " + table + "|" + words.other, "21 |", "31 |glob",
                                       "31 |json_extract", "31 |json_type"}))
          << reading->text;
    } else {
      EXPECT_TRUE(absl::IsUnimplemented(reading.status())) << reading.status();
    }
    const auto writing = WriteStatement(words).Build(Dialect::kSqlite);
    ASSERT_TRUE(writing.ok()) << writing.status();
    const std::set<std::string> actions = parser.Actions(*writing);
    for (const std::string& action : actions) {
      // INSERT, UPDATE, READ and SELECT of this table.
      EXPECT_TRUE(action.starts_with("18 " + table) || action.starts_with("23 " + table) ||
                  action.starts_with("20 " + table) || action == "21 |")
          << action << "\n"
          << writing->text;
    }
    EXPECT_TRUE(actions.contains("18 " + table + "|"));
    parser.Drop(words);
  }
  EXPECT_GT(built_keys, kRounds / 4);
}

}  // namespace
}  // namespace penstock::testing
