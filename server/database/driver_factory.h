// Opens the driver that a database's configuration names.
#ifndef PENSTOCK_SERVER_DATABASE_DRIVER_FACTORY_H_
#define PENSTOCK_SERVER_DATABASE_DRIVER_FACTORY_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/config.h"
#include "drivers/api/driver.h"

namespace penstock::server {

// Opens the database with the driver that `config.driver` names, with keys and values where its
// DriverSpec has them.
absl::StatusOr<std::unique_ptr<driver::Driver>> OpenDriver(const driver::Config& config);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_DATABASE_DRIVER_FACTORY_H_
