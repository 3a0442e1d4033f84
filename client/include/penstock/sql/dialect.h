// The dialects of SQL, and what a statement becomes in one.
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
  // SQLite's SQL on tables of a key and a value.
  kPebble,
};

// "postgres", "cockroachdb", "sqlite" or "pebble".
std::string_view DialectName(Dialect dialect);

// That of a driver, by its name (PingInfo::driver). UNIMPLEMENTED for a driver that this library
// does not know.
absl::StatusOr<Dialect> DialectOfDriver(std::string_view driver);

// A statement as text, with the values of its parameters $1, $2, …
struct Built {
  std::string text = {};
  std::vector<Value> args = {};
};

}  // namespace penstock::sql

#endif  // PENSTOCK_SQL_DIALECT_H_
