// SQLite behind the driver interface. The only header of this folder that
// others include.
#ifndef PENSTOCK_DRIVERS_SQLITE_SQLITE_DRIVER_H_
#define PENSTOCK_DRIVERS_SQLITE_SQLITE_DRIVER_H_

#include <memory>

#include "absl/status/statusor.h"
#include "drivers/api/config.h"
#include "drivers/api/driver.h"

namespace penstock::sqlite {

// Opens the database file that `config.database` (or `connection_string`)
// names, creating it if its folder exists; ":memory:" is a database that lives
// as long as the driver. One connection writes, any number read beside it (WAL).
//
// Options (config.options), all texts:
//   synchronous      off | normal | full (default) | extra
//   busy_timeout_ms  how long to wait for another process's lock; default 5000
//   foreign_keys     on (default) | off
//   allow_attach     true | false (default): ATTACH, DETACH and VACUUM INTO
//   cache_size_kib   page cache of each connection; default 2048
//   mmap_size_bytes  default 0
//   max_page_count   the file's limit in pages; default: SQLite's
//
// Errors name the file and say what to do: a wrong option, a missing folder,
// a file that is not a database or that another process has locked. A file
// that may not be written is opened all the same; writes to it then fail with
// kReadOnly.
absl::StatusOr<std::unique_ptr<driver::Driver>> Open(const driver::Config& config);

}  // namespace penstock::sqlite

#endif  // PENSTOCK_DRIVERS_SQLITE_SQLITE_DRIVER_H_
