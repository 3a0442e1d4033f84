#include "tests/differential/sqlite_stored.h"

#include <sqlite3.h>

#include <memory>
#include <string>

#include "fmt/format.h"
#include "tests/differential/sqlite_oracle.h"
#include "tests/differential/sqlite_value.h"
#include "tests/differential/text.h"

namespace penstock::differential {
namespace {

constexpr size_t kShown = 200;

SqliteDatabase Open(const std::string& path) {
  sqlite3* db = nullptr;
  sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READONLY, nullptr);
  return SqliteDatabase(db);
}

SqliteStatement Prepare(sqlite3* db, const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  sqlite3_prepare_v2(db, sql.c_str(), -1, &statement, nullptr);
  return SqliteStatement(statement);
}

// Runs one query on both, row by row; empty: the rows are the same.
std::string CompareQuery(sqlite3* own, sqlite3* gateways, const std::string& sql) {
  const SqliteStatement a = Prepare(own, sql);
  const SqliteStatement b = Prepare(gateways, sql);
  if (a == nullptr || b == nullptr) {
    return (a == nullptr) == (b == nullptr) ? "" : "it can be read on one side only";
  }
  for (int row = 1;; ++row) {
    const int code = sqlite3_step(a.get());
    if (sqlite3_step(b.get()) != code) return fmt::format("it ends with row {} on one side", row);
    if (code != SQLITE_ROW) return {};
    const v1::Row ours = ReadSqliteRow(a.get());
    const v1::Row theirs = ReadSqliteRow(b.get());
    if (ours.values_size() != theirs.values_size()) return "it has more columns on one side";
    for (int i = 0; i < ours.values_size(); ++i) {
      if (SameSqliteValue(ours.values(i), theirs.values(i), v1::KIND_UNSPECIFIED)) continue;
      return fmt::format("row {}, column '{}': oracle has {}, gateway {}", row,
                         sqlite3_column_name(a.get(), i),
                         Printable(testing::ToText(ours.values(i)), kShown),
                         Printable(testing::ToText(theirs.values(i)), kShown));
    }
  }
}

std::vector<std::string> TablesOf(sqlite3* db) {
  std::vector<std::string> tables;
  const SqliteStatement statement =
      Prepare(db,
              "SELECT format('\"%w\"', name) FROM sqlite_schema WHERE type = 'table' AND "
              "rootpage > 0 ORDER BY name");
  while (statement != nullptr && sqlite3_step(statement.get()) == SQLITE_ROW) {
    tables.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement.get(), 0)));
  }
  return tables;
}

}  // namespace

std::vector<std::string> CompareSqliteFiles(const std::string& own, const std::string& gateways) {
  const SqliteDatabase a = Open(own);
  const SqliteDatabase b = Open(gateways);
  std::vector<std::string> differences;
  const auto compare = [&](const std::string& what, const std::string& sql) {
    const std::string difference = CompareQuery(a.get(), b.get(), sql);
    if (!difference.empty()) differences.push_back(fmt::format("{}: {}", what, difference));
  };
  compare("the schema",
          "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name, tbl_name");
  compare("user_version", "PRAGMA user_version");
  compare("application_id", "PRAGMA application_id");
  for (const std::string& table : TablesOf(a.get())) {
    compare("table " + table, "SELECT * FROM " + table);
  }
  return differences;
}

}  // namespace penstock::differential
