// Which of SQLite's functions and modules a client may use.
//
// The linked library decides what there is; the tables in functions.cc decide each
// one. What they do not name is refused, so that a newer SQLite brings nothing that
// nobody has looked at, and a unit test fails until somebody has.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_FUNCTIONS_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_FUNCTIONS_H_

#include <string_view>

#include "absl/status/status.h"

struct sqlite3;

namespace penstock::sqlite_engine {

// The error for a function that is refused; OK for one that is allowed. `name` is
// the function's own name, as SQLite tells it, not as a statement spells it.
absl::Status CheckFunction(std::string_view name);

// True if functions.cc has decided on the function, whichever way.
bool IsDecidedFunction(std::string_view name);

// It tells what SQLite has counted on a connection, whoever's statements these were.
bool IsCounterOfConnection(std::string_view name);

// The error for such a function where a connection is not its caller's alone.
absl::Status CounterError();

// True if functions.cc has decided on the module, that is a sort of virtual table.
bool IsDecidedModule(std::string_view name);

// Takes every module away from `db` that is refused: there is no table of it then.
// To be called before the driver registers modules of its own.
void DropRefusedModules(sqlite3* db);

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_FUNCTIONS_H_
