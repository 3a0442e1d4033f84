// Finds the name of a key that was violated.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_KEY_NAME_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_KEY_NAME_H_

#include <string>
#include <string_view>

struct sqlite3;

namespace penstock::sqlite_engine {

// The name that `sql`, a CREATE TABLE of `table`, gives its UNIQUE or PRIMARY KEY of the
// columns `keys` ("t.a, t.b", as SQLite's messages have them); empty if it gives none.
std::string NameInDefinition(std::string_view sql, std::string_view table, std::string_view keys);

// The name of the only key of `table` that has the columns `keys`: its constraint's or, where
// CREATE UNIQUE INDEX made it, its index's. Empty if it has none, or if several keys have
// these columns. Asks `db`, whose last error is another one afterwards.
std::string NameOfKey(sqlite3* db, const std::string& table, const std::string& keys);

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_KEY_NAME_H_
