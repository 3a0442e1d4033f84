// PRAGMA statements of SQLite that a migrator has to understand.
#ifndef PENSTOCK_DRIVERS_SQLITE_MIGRATIONS_PRAGMA_H_
#define PENSTOCK_DRIVERS_SQLITE_MIGRATIONS_PRAGMA_H_

#include <optional>

#include "migrations/splitter.h"

namespace penstock::migrations {

// Returns what `statement` sets PRAGMA foreign_keys to, read as SQLite reads it; nothing if it
// is another statement, or asks for the setting only.
std::optional<bool> SetsForeignKeys(const SqlStatement& statement);

}  // namespace penstock::migrations

#endif  // PENSTOCK_DRIVERS_SQLITE_MIGRATIONS_PRAGMA_H_
