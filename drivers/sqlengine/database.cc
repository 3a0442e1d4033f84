#include "drivers/sqlengine/database.h"

#include <sqlite3.h>

#include <algorithm>
#include <limits>

#include "drivers/sqlengine/functions.h"
#include "drivers/sqlengine/memory.h"
#include "drivers/sqlengine/tokenizers.h"

namespace penstock::sqlengine {

void CloseDatabase::operator()(sqlite3* db) const { sqlite3_close_v2(db); }

void Harden(sqlite3* db, size_t max_value_bytes) {
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  // Double-quoted strings hide misspelt column names.
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
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

}  // namespace penstock::sqlengine
