// Migrates the databases that ask for it before the daemon serves.
#ifndef PENSTOCK_SERVER_DATABASE_STARTUP_MIGRATIONS_H_
#define PENSTOCK_SERVER_DATABASE_STARTUP_MIGRATIONS_H_

#include "absl/status/status.h"
#include "server/config/config.h"
#include "server/database/database.h"

namespace penstock::server {

// Applies the pending migrations of every database that has `migrate_on_start`, one database after
// the other, and logs each step. Blocks until that is done: it waits for another daemon that
// migrates the same database without a limit, and tries a database that cannot be reached for its
// acquire_timeout. Returns the first error, with the database's name.
//
// The owner of the databases calls their Tick meanwhile.
absl::Status MigrateOnStart(const Config& config, Databases* databases,
                            driver::Cancellation* cancellation);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_DATABASE_STARTUP_MIGRATIONS_H_
