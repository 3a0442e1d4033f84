// Adds to SQLite's messages what only the connection knows.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_DIAGNOSIS_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_DIAGNOSIS_H_

#include <string_view>

#include "drivers/api/error.h"

struct sqlite3;

namespace penstock::sqlite_engine {

// Completes what was read out of `message`, with which `sql` has just failed on `db` by
// `code` (extended) at the byte `offset` (negative: not known): whether the connection's settings
// are the reason, and what to do about it; where table and column end, whose names may have a dot
// in them. Asks `db`, whose own last error is another one afterwards.
void Diagnose(sqlite3* db, std::string_view sql, int code, std::string_view message, int offset,
              driver::ErrorInfo* info);

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_DIAGNOSIS_H_
