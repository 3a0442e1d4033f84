#include "drivers/sqlite_engine/original.h"

#include <sqlite3.h>

#include <utility>

namespace penstock::sqlite_engine {
namespace {

void Reset(sqlite3_stmt* statement) {
  sqlite3_reset(statement);
  sqlite3_clear_bindings(statement);
}

}  // namespace

OriginalFunctions::~OriginalFunctions() {
  for (const auto& [sql, statement] : statements_) sqlite3_finalize(statement);
}

sqlite3_stmt* OriginalFunctions::Prepare(const std::string& sql, sqlite3_context* result) {
  const auto found = statements_.find(sql);
  if (found != statements_.end()) return found->second;
  if (db_ == nullptr) {
    sqlite3* opened = nullptr;
    constexpr int kFlags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX;
    const int code = sqlite3_open_v2(":memory:", &opened, kFlags, nullptr);
    Database db(opened);
    if (code != SQLITE_OK) {
      sqlite3_result_error_code(result, code);
      return nullptr;
    }
    db_ = std::move(db);
  }
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db_.get(), sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    sqlite3_result_error(result, sqlite3_errmsg(db_.get()), -1);
    return nullptr;
  }
  statements_.emplace(sql, statement);
  return statement;
}

sqlite3_stmt* OriginalFunctions::Step(const std::string& sql, int count, sqlite3_value** values,
                                      sqlite3_context* result) {
  sqlite3_stmt* statement = Prepare(sql, result);
  if (statement == nullptr) return nullptr;
  // The caller's limits hold for the result.
  const int longest = sqlite3_limit(sqlite3_context_db_handle(result), SQLITE_LIMIT_LENGTH, -1);
  sqlite3_limit(db_.get(), SQLITE_LIMIT_LENGTH, longest);
  for (int i = 0; i < count; ++i) sqlite3_bind_value(statement, i + 1, values[i]);
  if (sqlite3_step(statement) == SQLITE_ROW) return statement;
  const int code = sqlite3_errcode(db_.get());
  sqlite3_result_error(result, sqlite3_errmsg(db_.get()), -1);
  sqlite3_result_error_code(result, code);
  Reset(statement);
  return nullptr;
}

void OriginalFunctions::Call(std::string_view name, int count, sqlite3_value** values,
                             sqlite3_context* result) {
  std::string arguments;
  for (int i = 2; i <= count; ++i) arguments += ",?" + std::to_string(i);
  const std::string first = count == 0 ? "" : "?1";
  sqlite3_stmt* statement =
      Step("SELECT " + std::string(name) + "(" + first + arguments + ")", count, values, result);
  if (statement == nullptr) return;
  sqlite3_result_value(result, sqlite3_column_value(statement, 0));
  const bool null = sqlite3_column_type(statement, 0) == SQLITE_NULL;
  Reset(statement);
  // The mark of JSON is lost on the way through a row.
  if (name.substr(0, 4) == "json") sqlite3_result_subtype(result, 'J');
  if (name != "printf" || !null || count == 0) return;
  // NULL is what printf makes of an empty text, and of one that is too long. Behind
  // another letter none is empty.
  statement = Step("SELECT ?1 IS NOT NULL AND printf('x'||?1" + arguments + ") IS NULL", count,
                   values, result);
  if (statement == nullptr) return;
  if (sqlite3_column_int(statement, 0) != 0) sqlite3_result_error_toobig(result);
  Reset(statement);
}

}  // namespace penstock::sqlite_engine
