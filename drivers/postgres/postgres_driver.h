// PostgreSQL behind the driver interface. The only header of this folder that
// others include.
#ifndef PENSTOCK_DRIVERS_POSTGRES_POSTGRES_DRIVER_H_
#define PENSTOCK_DRIVERS_POSTGRES_POSTGRES_DRIVER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/config.h"
#include "drivers/api/driver.h"
#include "drivers/api/spec.h"
#include "drivers/postgres/flavor.h"

namespace penstock::postgres {

// A database of a PostgreSQL server, 12 or later. Nothing is connected yet: a
// server that is down is met at the first request.
//
// `config.connection_string` is what libpq takes, a URI or key=value words; or
// the fields host (a name, an address, a folder with a socket; several with
// commas), port, username, password, database and ssl_mode say it. Hosts are
// tried in turn, each for its share of the pool's connect_timeout.
//
// `config.query_timeout` and five seconds become the server's statement_timeout, for
// when nobody is there to end a statement; a shorter one of the role's or the
// database's is left. Every session is asked for it once, when it begins.
//
// Its options are in spec.cc.
absl::StatusOr<std::unique_ptr<driver::Driver>> Open(const driver::Config& config);

// Returns what is wrong with a configuration, as Open would say, without a driver: INVALID_ARGUMENT
// names the key or the connection parameter, and never has a part of a connection string.
absl::Status Check(const driver::Config& config);

// The names and the options of the driver.
const driver::DriverSpec& Spec();
driver::MakeMigrations MakeMigrations;

// Opens a driver that speaks the same protocol.
absl::StatusOr<std::unique_ptr<driver::Driver>> OpenFlavor(const driver::Config& config,
                                                           Flavor flavor);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_POSTGRES_DRIVER_H_
