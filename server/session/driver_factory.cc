#include "server/session/driver_factory.h"

#include "drivers/api/error.h"
#include "drivers/cockroachdb/cockroachdb_driver.h"
#include "drivers/postgres/postgres_driver.h"
#include "drivers/sqlite/sqlite_driver.h"
#include "fmt/format.h"

namespace penstock::server {

absl::StatusOr<std::unique_ptr<driver::Driver>> OpenDriver(const driver::Config& config) {
  if (config.driver == "sqlite") return sqlite::Open(config);
  if (config.driver == "postgres") return postgres::Open(config);
  if (config.driver == "cockroachdb") return cockroachdb::Open(config);
  return driver::MakeErrorWithHint(driver::Reason::kUnsupported,
                                   fmt::format("no driver named '{}' in this build", config.driver),
                                   "use sqlite, postgres or cockroachdb");
}

}  // namespace penstock::server
