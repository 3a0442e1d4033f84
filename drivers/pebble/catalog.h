// Stores what is known about keyspaces besides their entries: the types that CREATE
// TABLE declared.
#ifndef PENSTOCK_DRIVERS_PEBBLE_CATALOG_H_
#define PENSTOCK_DRIVERS_PEBBLE_CATALOG_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace rocksdb {
class DB;
}

namespace penstock::pebble {

// The declared types of a table's columns, in SQL's spelling.
struct TableTypes {
  std::string key = "BLOB";
  std::string value = "BLOB";

  bool operator==(const TableTypes&) const = default;
};

using Catalog = std::map<std::string, TableTypes, std::less<>>;

// The catalog is in the database's default column family, where no keyspace is.
// All of it is durable when a function returns.
absl::StatusOr<Catalog> ReadTables(rocksdb::DB* db);
absl::Status AddTable(rocksdb::DB* db, std::string_view name, const TableTypes& types);
// OK also if it is not there.
absl::Status RemoveTable(rocksdb::DB* db, std::string_view name);

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_CATALOG_H_
