#include "drivers/sqlite_engine/database.h"

#include <sqlite3.h>

#include <algorithm>
#include <limits>

#include "drivers/sqlite_engine/functions.h"
#include "drivers/sqlite_engine/memory.h"
#include "drivers/sqlite_engine/tokenizers.h"

namespace penstock::sqlite_engine {

void CloseDatabase::operator()(sqlite3* db) const { sqlite3_close_v2(db); }

void Harden(sqlite3* db, size_t max_value_bytes, const Leniency& leniency) {
  const auto set = [db](int setting, bool on) {
    sqlite3_db_config(db, setting, on ? 1 : 0, nullptr);
  };
  set(SQLITE_DBCONFIG_DEFENSIVE, true);
  set(SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, false);
  set(SQLITE_DBCONFIG_TRUSTED_SCHEMA, leniency.trusted_schema);
  set(SQLITE_DBCONFIG_DQS_DML, leniency.double_quoted_strings);
  set(SQLITE_DBCONFIG_DQS_DDL, leniency.double_quoted_strings);
  DropRefusedModules(db);
  GuardTokenizers(db);
  // SELECT DISTINCT without FROM and with 64 and more terms of ORDER BY makes SQLite 3.40
  // read memory that it has freed. This optimisation is what leads there; without it
  // DISTINCT does not make use of an index's order.
  constexpr int kDistinctOptimization = 0x10;
  sqlite3_test_control(SQLITE_TESTCTRL_OPTIMIZATIONS, db, kDistinctOptimization);
  LimitMemory();
  sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, kMaxSqlBytes);
  constexpr size_t kLargest = std::numeric_limits<int>::max();
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, static_cast<int>(std::min(max_value_bytes, kLargest)));
}

}  // namespace penstock::sqlite_engine
