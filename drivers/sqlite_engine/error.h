// SQLite's result codes as the project's errors.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_ERROR_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_ERROR_H_

#include <string_view>

#include "absl/status/status.h"

struct sqlite3;

namespace penstock::sqlite_engine {

// Makes the error of a failure. `message` is SQLite's, which names tables and columns
// but no values; `position` is in characters from 1, or 0.
absl::Status Classify(int extended_code, std::string_view message, int position = 0);

// Classify for what has just failed on `db` while working on `sql`.
absl::Status LastError(sqlite3* db, std::string_view sql = {});

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_ERROR_H_
