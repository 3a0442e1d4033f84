// The SQL dialects, and the text of a statement in one of them.
#ifndef PENSTOCK_SQL_DIALECT_H_
#define PENSTOCK_SQL_DIALECT_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "penstock/value.h"

namespace penstock::sql {

enum class Dialect : uint8_t {
  kPostgres,
  kCockroachDb,
  kSqlite,
  // SQLite's SQL on tables that have a key and a value.
  kPebble,
};

// "postgres", "cockroachdb", "sqlite" or "pebble".
std::string_view DialectName(Dialect dialect);

// Returns the dialect of a driver, given its name (PingInfo::driver). UNIMPLEMENTED if this library
// does not know the driver.
absl::StatusOr<Dialect> DialectOfDriver(std::string_view driver);

// A statement's text, and the values of its parameters $1, $2, …
struct Built {
  std::string text = {};
  std::vector<Value> args = {};
};

}  // namespace penstock::sql

#endif  // PENSTOCK_SQL_DIALECT_H_
