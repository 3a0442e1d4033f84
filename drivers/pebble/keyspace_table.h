// Keyspaces as virtual tables of SQLite.
#ifndef PENSTOCK_DRIVERS_PEBBLE_KEYSPACE_TABLE_H_
#define PENSTOCK_DRIVERS_PEBBLE_KEYSPACE_TABLE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "absl/status/status.h"
#include "drivers/pebble/operations.h"
#include "drivers/pebble/store.h"
#include "drivers/sqlite_engine/statement.h"

struct sqlite3;

namespace penstock::pebble {

// Shared by the tables of one connection to SQLite: where they read and write,
// which their owner sets for each statement, and why they have failed.
struct TableContext {
  Store* store = nullptr;

  // The view of the statement that runs: one snapshot, and a transaction if it writes.
  View view;
  // The statement itself, if it writes.
  const sqlite_engine::Statement* statement = nullptr;
  // Its parameters; they live until its first step has returned, and so as long as it writes.
  std::span<const driver::Value> arguments() const {
    return statement == nullptr ? std::span<const driver::Value>() : statement->arguments();
  }
  // The keys that it has written. Each takes a lock and a place in memory.
  int64_t written = 0;
  // Why it failed, if it was the table that did, and SQLite's code for that.
  absl::Status failure;
  int failure_code = 0;

  // Those that there are; DROP TABLE takes one away.
  std::vector<Table> tables;
  // DROP TABLE takes away the declaration only: the keyspace is gone already.
  bool undeclaring = false;
};

inline constexpr char kTableModule[] = "keyspace";

// Makes CREATE VIRTUAL TABLE … USING keyspace known. `context` outlives `db`.
//
// A table has the columns `key`, its primary key, and `value`, both not null. What
// is compared with a key is compared as bytes. SQLite never has a transaction of
// its own with them: whoever runs the statement guards it by a savepoint in
// RocksDB's, and undoes by that what a failing statement has done.
absl::Status RegisterTables(sqlite3* db, TableContext* context);

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_KEYSPACE_TABLE_H_
