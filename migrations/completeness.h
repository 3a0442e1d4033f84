// Whether a text is a whole statement, asked of who knows: SQLite's own function and
// PostgreSQL's own parser.
#ifndef PENSTOCK_MIGRATIONS_COMPLETENESS_H_
#define PENSTOCK_MIGRATIONS_COMPLETENESS_H_

#include <cstddef>
#include <string_view>

namespace penstock::migrations {

// sqlite3_complete of the text and a semicolon: false in the middle of a trigger's body.
// Thread-safe.
bool IsWholeForSqlite(std::string_view statement);

// Longer texts are not parsed.
inline constexpr size_t kLongestParsed = size_t{64} << 10;

// PostgreSQL 15's parser reads one statement in it. False says less: a newer server or
// CockroachDB may know what it does not. Thread-safe.
bool IsWholeForPostgres(std::string_view statement);

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_COMPLETENESS_H_
