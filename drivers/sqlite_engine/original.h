// SQLite's own functions, called from the functions that stand in front of them.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_ORIGINAL_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_ORIGINAL_H_

#include <map>
#include <string>
#include <string_view>

#include "drivers/sqlite_engine/database.h"

struct sqlite3_context;
struct sqlite3_stmt;
struct sqlite3_value;

namespace penstock::sqlite_engine {

// A function that has been replaced cannot be called on its own connection any more.
// So this calls it on another one, which is opened when it is needed first and has
// nothing in it. Used by one thread at a time.
class OriginalFunctions {
 public:
  OriginalFunctions() = default;
  ~OriginalFunctions();
  OriginalFunctions(const OriginalFunctions&) = delete;
  OriginalFunctions& operator=(const OriginalFunctions&) = delete;

  // Makes `result` what the function answers, or its error. `name` is a constant of the
  // program.
  void Call(std::string_view name, int count, sqlite3_value** values, sqlite3_context* result);

 private:
  // Runs it up to its row. Null: it failed, and `result` says why.
  sqlite3_stmt* Step(const std::string& sql, int count, sqlite3_value** values,
                     sqlite3_context* result);
  sqlite3_stmt* Prepare(const std::string& sql, sqlite3_context* result);

  Database db_;
  // The statements by their texts.
  std::map<std::string, sqlite3_stmt*, std::less<>> statements_;
};

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_ORIGINAL_H_
