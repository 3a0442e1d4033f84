#include "server/session/driver_factory.h"

#include <utility>

#include "drivers/api/error.h"
#include "drivers/cockroachdb/cockroachdb_driver.h"
#include "drivers/pebble/pebble_driver.h"
#include "drivers/postgres/postgres_driver.h"
#include "drivers/sqlite/sqlite_driver.h"
#include "drivers/sqlkv/sqlkv.h"
#include "fmt/format.h"

namespace penstock::server {
namespace {

using OpenedDriver = absl::StatusOr<std::unique_ptr<driver::Driver>>;

OpenedDriver WithKeyValue(OpenedDriver driver, const sqlkv::Dialect& dialect) {
  if (!driver.ok()) return driver;
  return sqlkv::WithKeyValue(*std::move(driver), dialect);
}

absl::Status Unknown(const driver::Config& config) {
  return driver::MakeErrorWithHint(driver::Reason::kUnsupported,
                                   fmt::format("no driver named '{}' in this build", config.driver),
                                   "use sqlite, postgres, cockroachdb or pebble");
}

}  // namespace

absl::StatusOr<std::unique_ptr<driver::Driver>> OpenDriver(const driver::Config& config) {
  if (config.driver == "sqlite") return WithKeyValue(sqlite::Open(config), sqlkv::kSqlite);
  if (config.driver == "postgres") {
    return WithKeyValue(postgres::Open(config), sqlkv::kPostgres);
  }
  if (config.driver == "cockroachdb") {
    return WithKeyValue(cockroachdb::Open(config), sqlkv::kCockroach);
  }
  if (config.driver == "pebble" || config.driver == "rocksdb") return pebble::Open(config);
  return Unknown(config);
}

absl::Status CheckDriver(const driver::Config& config) {
  if (config.driver == "sqlite") return sqlite::Check(config);
  if (config.driver == "postgres") return postgres::Check(config);
  if (config.driver == "cockroachdb") return cockroachdb::Check(config);
  if (config.driver == "pebble" || config.driver == "rocksdb") return pebble::Check(config);
  return Unknown(config);
}

}  // namespace penstock::server
