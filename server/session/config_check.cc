#include "server/session/config_check.h"

#include <memory>
#include <string>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "migrations/dialect.h"
#include "migrations/source.h"
#include "server/session/driver_factory.h"

namespace penstock::server {
namespace {

std::string Text(const absl::Status& status) {
  const std::string hint = driver::GetErrorInfo(status).hint;
  return std::string(status.message()) + (hint.empty() ? "" : "; " + hint);
}

// A driver tells the first mistake that it finds. So each option is shown to it alone,
// and the rest without them.
std::vector<DatabaseProblem> CheckOptions(const driver::Config& config) {
  std::vector<DatabaseProblem> problems;
  driver::Config part = config;
  part.options.clear();
  const absl::Status rest = CheckDriver(part);
  if (!rest.ok()) problems.push_back({"", Text(rest)});
  for (const auto& option : config.options) {
    part.options = {option};
    const absl::Status status = CheckDriver(part);
    if (!status.ok() && status != rest) problems.push_back({option.first, Text(status)});
  }
  if (!problems.empty()) return problems;
  const absl::Status together = CheckDriver(config);
  if (!together.ok()) problems.push_back({"", Text(together)});
  return problems;
}

absl::Status CheckMigrations(const DatabaseConfig& config) {
  absl::StatusOr<std::shared_ptr<migrations::Files>> files =
      migrations::ReadFolder(config.migrate_on_start);
  if (!files.ok()) return files.status();
  const std::string& driver = config.driver.driver;
  absl::StatusOr<std::unique_ptr<migrations::Dialect>> dialect =
      migrations::MakeDialect(driver, config.migrations_table, {.lease = config.migrations_lease});
  if (!dialect.ok()) return dialect.status();
  return migrations::ReadSource(*files, {}, driver, **dialect).status();
}

}  // namespace

std::vector<DatabaseProblem> CheckDatabase(const DatabaseConfig& config) {
  std::vector<DatabaseProblem> problems = CheckOptions(config.driver);
  if (config.migrate_on_start.empty()) return problems;
  const absl::Status migrations = CheckMigrations(config);
  if (!migrations.ok()) problems.push_back({"migrate_on_start", Text(migrations)});
  return problems;
}

}  // namespace penstock::server
