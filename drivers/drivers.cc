// The drivers of Penstock: a new one is a folder, and a row here.
#include "drivers/api/spec.h"
#include "drivers/cockroachdb/cockroachdb_driver.h"
#include "drivers/pebble/pebble_driver.h"
#include "drivers/postgres/postgres_driver.h"
#include "drivers/sqlite/sqlite_driver.h"

namespace penstock::driver {

// The first is the one of a database that names none.
std::span<const DriverSpec* const> Drivers() {
  static const DriverSpec* const rows[] = {
      &sqlite::Spec(),
      &postgres::Spec(),
      &cockroachdb::Spec(),
      &pebble::Spec(),
  };
  return rows;
}

}  // namespace penstock::driver
