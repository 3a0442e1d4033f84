// SQLite behind the driver interface. The only header of this folder that
// others include.
#ifndef PENSTOCK_DRIVERS_SQLITE_SQLITE_DRIVER_H_
#define PENSTOCK_DRIVERS_SQLITE_SQLITE_DRIVER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/config.h"
#include "drivers/api/driver.h"
#include "drivers/api/spec.h"

namespace penstock::sqlite {

// Opens the database file that `config.database` (or `connection_string`)
// names, creating it if its folder exists. The name is a path, a URI
// (file:/path?mode=ro, rw or rwc), or ":memory:". One connection writes, any
// number read beside it, each on its own snapshot (WAL).
//
// ":memory:" is a database that lives as long as the driver. It has no
// write-ahead log: a writer that commits waits for those that read, and they
// for it, until their deadlines.
//
// Its options are in spec.cc.
//
// Errors name the file and say what to do: a wrong option, a missing folder,
// a file that is not a database or that another process has locked. A file
// that may not be written is opened all the same; writes to it then fail with
// kReadOnly.
absl::StatusOr<std::unique_ptr<driver::Driver>> Open(const driver::Config& config);

// Returns what is wrong with a configuration, as Open would say, without opening anything.
absl::Status Check(const driver::Config& config);

// The names and the options of the driver.
const driver::DriverSpec& Spec();
driver::MakeMigrations MakeMigrations;

}  // namespace penstock::sqlite

#endif  // PENSTOCK_DRIVERS_SQLITE_SQLITE_DRIVER_H_
