// SQLite's functions whose cost could get out of hand, made safe.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_GUARDED_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_GUARDED_H_

#include <memory>

#include "absl/status/status.h"

struct sqlite3;

namespace penstock::sqlite_engine {

class StatementExecutor;

// Puts functions of our own in place of SQLite's on a connection, with the same
// results. SQLite looks at no deadline while a function runs, and some of its own run
// for days:
//   instr, replace        take time linear in their arguments
//   trim, ltrim, rtrim    with two arguments, may be interrupted
//   printf, format        refuse a precision of %c that no result can hold
//   json_patch            refuses documents with too many members
// It goes before the connection, on which nothing runs any more then. Used by the
// connection's thread only.
class GuardedFunctions {
 public:
  // `executor`, whose watch may interrupt them, outlives it.
  explicit GuardedFunctions(const StatementExecutor* executor);
  ~GuardedFunctions();
  GuardedFunctions(const GuardedFunctions&) = delete;
  GuardedFunctions& operator=(const GuardedFunctions&) = delete;

  absl::Status Register(sqlite3* db);

 private:
  struct Guard;

  const std::unique_ptr<Guard> guard_;
};

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_GUARDED_H_
