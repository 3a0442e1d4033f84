#include "drivers/cockroachdb/cockroachdb_driver.h"

#include <utility>

#include "drivers/postgres/postgres_driver.h"

namespace penstock::cockroachdb {

absl::StatusOr<std::unique_ptr<driver::Driver>> Open(const driver::Config& config) {
  postgres::Flavor flavor;
  flavor.cockroach = true;
  flavor.info = {
      .name = "cockroachdb",
      .dialect = "postgresql",
      // It has DDL in transactions, but a schema change may fail after the commit.
      .capabilities = {.returning = true, .savepoints = true, .arrays = true, .staleness = true}};
  return postgres::OpenFlavor(config, std::move(flavor));
}

absl::Status Check(const driver::Config& config) { return postgres::Check(config); }

}  // namespace penstock::cockroachdb
