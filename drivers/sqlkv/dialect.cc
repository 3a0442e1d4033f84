#include "drivers/sqlkv/dialect.h"

#include "drivers/api/key_value.h"

namespace penstock::sqlkv {
namespace {

constexpr std::string_view kPostgresColumns = "(key BYTEA PRIMARY KEY, value BYTEA NOT NULL)";
constexpr std::string_view kPostgresExists =
    "SELECT 1 FROM pg_catalog.pg_class WHERE oid = to_regclass($1::text)";

}  // namespace

// STRICT, so that a text put there by SQL does not sort before every blob.
const Dialect kSqlite = {
    .columns = "(key BLOB NOT NULL PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID",
    .table_exists = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1",
    .key_array = false,
    .max_key_bytes = driver::kMaxKeyBytes,
    .locks = false,
    .show_isolation = ""};

const Dialect kPostgres = {.columns = kPostgresColumns,
                           .table_exists = kPostgresExists,
                           .key_array = true,
                           .max_key_bytes = 2600,
                           .locks = true,
                           .show_isolation = ""};

const Dialect kCockroach = {
    .columns = kPostgresColumns,
    .table_exists = "",
    .key_array = true,
    // No CockroachDB has been tried: what PostgreSQL can hold is on the safe side.
    .max_key_bytes = 2600,
    .locks = false,
    .show_isolation = "SHOW default_transaction_isolation"};

}  // namespace penstock::sqlkv
