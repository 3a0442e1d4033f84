// Mistakes in a database's configuration that only the migrations can find.
#ifndef PENSTOCK_SERVER_DATABASE_CONFIG_CHECK_H_
#define PENSTOCK_SERVER_DATABASE_CONFIG_CHECK_H_

#include "absl/status/status.h"
#include "server/config/config.h"

namespace penstock::server {

// Returns the error with which the folder of `migrate_on_start`, if there is one, would be refused
// when it is applied.
absl::Status CheckMigrations(const DatabaseConfig& config);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_DATABASE_CONFIG_CHECK_H_
