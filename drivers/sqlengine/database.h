// A connection to SQLite, as every driver of it sets one up.
#ifndef PENSTOCK_DRIVERS_SQLENGINE_DATABASE_H_
#define PENSTOCK_DRIVERS_SQLENGINE_DATABASE_H_

#include <cstddef>
#include <memory>

struct sqlite3;

namespace penstock::sqlengine {

struct CloseDatabase {
  void operator()(sqlite3* db) const;
};

// Statements that are still prepared keep what they need of it.
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

// The longest statement. SQLite takes a second or two to prepare so much.
constexpr int kMaxSqlBytes = 16 << 20;

// Takes away what a client could do harm with: writes to the schema's own
// tables, functions of a schema that is not trusted, extensions, texts in double
// quotes. No text, blob or row may have more than `max_value_bytes`.
void Harden(sqlite3* db, size_t max_value_bytes);

}  // namespace penstock::sqlengine

#endif  // PENSTOCK_DRIVERS_SQLENGINE_DATABASE_H_
