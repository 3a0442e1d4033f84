#include "penstock/sql/dialect.h"

#include "client/src/format.h"
#include "client/src/refusal.h"

namespace penstock::sql {

std::string_view DialectName(Dialect dialect) {
  switch (dialect) {
    case Dialect::kPostgres: return "postgres";
    case Dialect::kCockroachDb: return "cockroachdb";
    case Dialect::kSqlite: return "sqlite";
    case Dialect::kPebble: return "pebble";
  }
  return "unknown";
}

absl::StatusOr<Dialect> DialectOfDriver(std::string_view driver) {
  for (const Dialect dialect :
       {Dialect::kPostgres, Dialect::kCockroachDb, Dialect::kSqlite, Dialect::kPebble}) {
    if (DialectName(dialect) == driver) return dialect;
  }
  return penstock::internal::Refusal(
      absl::StatusCode::kUnimplemented,
      penstock::internal::Format(
          "the query builder does not support the dialect of the driver \"{}\"", driver),
      "UNSUPPORTED", "use a newer client library, or SQL as text");
}

}  // namespace penstock::sql
