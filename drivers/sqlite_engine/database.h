// A connection to SQLite, as every driver of it sets one up.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_DATABASE_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_DATABASE_H_

#include <cstddef>
#include <memory>

struct sqlite3;

namespace penstock::sqlite_engine {

struct CloseDatabase {
  void operator()(sqlite3* db) const;
};

// Statements that are still prepared keep what they need of it.
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

// The longest statement. SQLite takes a second or two to prepare so much.
constexpr int kMaxSqlBytes = 16 << 20;

// Things that SQLite allows by default and advises against.
struct Leniency {
  // Indexes, constraints, defaults, generated columns, views and triggers may use
  // functions and virtual tables that SQLite does not count among the innocuous ones:
  // json_*, FTS5 and R*Tree among others.
  bool trusted_schema = false;
  // "text" is a text where it is not the name of a column.
  bool double_quoted_strings = false;
};

// Takes away what a client could do harm with: writes to the schema's own
// tables, extensions, and what `leniency` does not leave. No text, blob or row may
// have more than `max_value_bytes`. To be called before the schema is read.
void Harden(sqlite3* db, size_t max_value_bytes, const Leniency& leniency = {});

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_DATABASE_H_
