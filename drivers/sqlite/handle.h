// An opened and hardened sqlite3*.
#ifndef PENSTOCK_DRIVERS_SQLITE_HANDLE_H_
#define PENSTOCK_DRIVERS_SQLITE_HANDLE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "drivers/api/deadline.h"
#include "drivers/api/driver.h"
#include "drivers/sqlite/options.h"
#include "drivers/sqlite/policy.h"
#include "drivers/sqlite_engine/database.h"

namespace penstock::sqlite {

// A database connection with its policy installed, which outlives it.
struct Handle {
  std::unique_ptr<FilePolicy> policy;
  sqlite_engine::Database db;
};

// Opens the file, hardens the connection and applies the options; one of the
// read lane cannot write. Errors name the file and what to do. Sets nothing
// that is stored in the file but WAL.
absl::StatusOr<Handle> OpenHandle(const Options& options, driver::Lane lane,
                                  const driver::Deadline& deadline);

}  // namespace penstock::sqlite

#endif  // PENSTOCK_DRIVERS_SQLITE_HANDLE_H_
