#include "server/database/driver_factory.h"

#include <utility>

#include "drivers/api/spec.h"
#include "drivers/sql_key_value/sql_key_value.h"

namespace penstock::server {

absl::StatusOr<std::unique_ptr<driver::Driver>> OpenDriver(const driver::Config& config) {
  absl::StatusOr<const driver::DriverSpec*> spec = driver::RequireDriver(config.driver);
  if (!spec.ok()) return spec.status();
  absl::StatusOr<std::unique_ptr<driver::Driver>> opened = (*spec)->open(config);
  if (!opened.ok() || !(*spec)->key_value.has_value()) return opened;
  return sql_key_value::WithKeyValue(*std::move(opened), *(*spec)->key_value);
}

}  // namespace penstock::server
