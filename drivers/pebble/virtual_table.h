// One keyspace as SQLite holds it.
#ifndef PENSTOCK_DRIVERS_PEBBLE_VIRTUAL_TABLE_H_
#define PENSTOCK_DRIVERS_PEBBLE_VIRTUAL_TABLE_H_

#include <sqlite3.h>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/pebble/keyspace_table.h"
#include "drivers/pebble/store.h"
#include "drivers/pebble/table_value.h"

namespace penstock::pebble {

struct VirtualTable : sqlite3_vtab {
  VirtualTable(sqlite3* database, TableContext* shared, Table table, Storage key, Storage value)
      : sqlite3_vtab(),
        db(database),
        context(shared),
        definition(std::move(table)),
        key_storage(key),
        value_storage(value) {}

  // Notes why the statement is to fail, and returns the code.
  int Fail(absl::Status why, int code = SQLITE_ERROR);

  // The keyspace; null if it does not exist yet. kSerializationFailure: it is not
  // the one that the table was declared for.
  absl::StatusOr<Keyspace> Find() const;

  sqlite3* const db;
  TableContext* const context;
  // The definition has the id 0 if the keyspace did not exist yet.
  const Table definition;
  const Storage key_storage;
  const Storage value_storage;
};

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_VIRTUAL_TABLE_H_
