#include <chrono>

#include "drivers/api/spec.h"
#include "drivers/cockroachdb/cockroachdb_driver.h"
#include "drivers/postgres/postgres_driver.h"

namespace penstock::cockroachdb {
namespace {

driver::DriverSpec MakeSpec() {
  driver::DriverSpec spec;
  // It has DDL in transactions, but a schema change may fail after the commit.
  spec.info = {.name = "cockroachdb",
               .dialect = "postgresql",
               .capabilities = {.returning = true,
                                .savepoints = true,
                                .arrays = true,
                                .staleness = true,
                                .read_committed = true}};
  spec.file_words = {"cockroach"};
  spec.options = postgres::Spec().options;
  spec.database_help = postgres::Spec().database_help;
  spec.connection_help = postgres::Spec().connection_help;
  // Its documents' advice: so that connections find their way to nodes that are new.
  spec.pool.max_lifetime = std::chrono::minutes(5);
  spec.open = Open;
  spec.check = Check;
  // No CockroachDB has been tried: what PostgreSQL's index can hold is on the safe side.
  spec.key_value = postgres::Spec().key_value;
  spec.key_value->table_exists = "";
  spec.key_value->locks = false;
  spec.key_value->show_isolation = "SHOW default_transaction_isolation";
  spec.migrations = MakeMigrations;
  return spec;
}

}  // namespace

const driver::DriverSpec& Spec() {
  static const auto* const spec = new driver::DriverSpec(MakeSpec());
  return *spec;
}

}  // namespace penstock::cockroachdb
