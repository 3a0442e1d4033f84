// Migrates the databases that ask for it before the daemon serves.
#ifndef PENSTOCK_SERVER_DATABASE_STARTUP_MIGRATIONS_H_
#define PENSTOCK_SERVER_DATABASE_STARTUP_MIGRATIONS_H_

#include "absl/status/status.h"
#include "server/config/config.h"
#include "server/database/database.h"

namespace penstock::server {

// Applies the pending migrations of every database that has `migrate_on_start`,
// one database after the other, and logs each step. Blocks until that is done:
// another daemon that migrates the same database is waited for without a limit,
// and a database that cannot be reached is tried for as long as its
// acquire_timeout. The first error, with the database's name.
//
// The databases' Tick is called meanwhile by whoever owns them.
absl::Status MigrateOnStart(const Config& config, Databases* databases,
                            driver::Cancellation* cancellation);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_DATABASE_STARTUP_MIGRATIONS_H_
