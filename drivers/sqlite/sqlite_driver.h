// SQLite behind the driver interface. The only header of this folder that
// others include.
#ifndef PENSTOCK_DRIVERS_SQLITE_SQLITE_DRIVER_H_
#define PENSTOCK_DRIVERS_SQLITE_SQLITE_DRIVER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/config.h"
#include "drivers/api/driver.h"

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
// Options (config.options), all texts:
//   synchronous      full (default) | extra | normal: what is acknowledged
//                    survives a power failure, but with normal
//   busy_timeout_ms  how long to wait for another process's lock; default 5000
//   foreign_keys     on (default) | off
//   allow_attach     on | off (default): ATTACH, DETACH and VACUUM INTO
//   trusted_schema   on (default, as in the sqlite3 shell) | off: indexes, CHECK,
//                    DEFAULT, generated columns, views and triggers may use no function
//                    and no virtual table that SQLite does not count among the innocuous
//                    ones (json_*, FTS5, R*Tree, …). It protects from a file that
//                    somebody else has made: docs/drivers.md says what from
//   double_quoted_strings  on (default, as in the sqlite3 shell) | off: "text" in double
//                    quotes that names no column is an error, not a text. It protects
//                    from misspelt names; what the file's own tables and indexes have of
//                    the sort is still read, what its views and triggers have is not
//   cache_size_kib   page cache of each connection; default 2048
//   mmap_size_bytes  how much of the file is mapped; default 0
//   max_page_count   the file's limit in pages; default: SQLite's
//   interruptible_like  on (default): LIKE and GLOB end when their statement has to, and
//                    use no index | off: they are SQLite's own, which use an index for
//                    `column GLOB 'abc*'`, and run for hours on long texts and patterns
//   max_temp_mib     disk for sorting, intermediate results and temporary tables, of all
//                    connections together; default 4096
//   journal_mode     wal, the only one
//
// Errors name the file and say what to do: a wrong option, a missing folder,
// a file that is not a database or that another process has locked. A file
// that may not be written is opened all the same; writes to it then fail with
// kReadOnly.
absl::StatusOr<std::unique_ptr<driver::Driver>> Open(const driver::Config& config);

// What is wrong with a configuration, as Open would say, without opening anything.
absl::Status Check(const driver::Config& config);

}  // namespace penstock::sqlite

#endif  // PENSTOCK_DRIVERS_SQLITE_SQLITE_DRIVER_H_
