// CREATE TABLE as the definition of a keyspace.
#ifndef PENSTOCK_DRIVERS_PEBBLE_CREATE_TABLE_H_
#define PENSTOCK_DRIVERS_PEBBLE_CREATE_TABLE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "drivers/pebble/catalog.h"

namespace penstock::pebble {

struct TableDefinition {
  // In small letters: SQL takes capitals for the same, keyspaces have none.
  std::string name;
  TableTypes types;
  bool if_not_exists = false;
};

// `sql` is a CREATE TABLE statement, which SQLite parses, in a database of its own
// that is empty. kUnsupported says what a keyspace cannot be: it has the columns
// `key` (TEXT or BLOB) and `value`, in this order, the key being the primary key
// whether the statement says so or not.
absl::StatusOr<TableDefinition> ReadCreateTable(std::string_view sql);

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_CREATE_TABLE_H_
