#include "server/database/config_check.h"

#include <memory>

#include "migrations/dialect.h"
#include "migrations/source.h"

namespace penstock::server {

absl::Status CheckMigrations(const DatabaseConfig& config) {
  if (config.migrate_on_start.empty()) return absl::OkStatus();
  absl::StatusOr<std::shared_ptr<migrations::Files>> files =
      migrations::ReadFolder(config.migrate_on_start);
  if (!files.ok()) return files.status();
  const std::string& driver = config.driver.driver;
  absl::StatusOr<std::unique_ptr<migrations::Dialect>> dialect =
      migrations::MakeDialect(driver, config.migrations_table, {.lease = config.migrations_lease});
  if (!dialect.ok()) return dialect.status();
  return migrations::ReadSource(*files, {}, driver, **dialect).status();
}

}  // namespace penstock::server
