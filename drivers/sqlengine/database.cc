#include "drivers/sqlengine/database.h"

#include <sqlite3.h>

#include <algorithm>
#include <limits>

namespace penstock::sqlengine {

void CloseDatabase::operator()(sqlite3* db) const { sqlite3_close_v2(db); }

void Harden(sqlite3* db, size_t max_value_bytes) {
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  // Double-quoted strings hide misspelt column names.
  sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  constexpr size_t kLargest = std::numeric_limits<int>::max();
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, static_cast<int>(std::min(max_value_bytes, kLargest)));
}

}  // namespace penstock::sqlengine
