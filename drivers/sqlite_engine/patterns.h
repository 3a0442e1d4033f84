// LIKE and GLOB, which may be interrupted.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_PATTERNS_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_PATTERNS_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"

struct sqlite3;

namespace penstock::sqlite_engine {

class StatementExecutor;
class Work;

enum class PatternKind : uint8_t { kLike, kGlob };
enum class PatternMatch : uint8_t { kNo, kYes, kInterrupted };

// Whether `text` matches `pattern` as SQLite's sqlite3_strlike and sqlite3_strglob
// have it. Both are looked at up to their first zero byte. `escape` is the character
// of LIKE's ESCAPE, 0 for none.
PatternMatch MatchPattern(PatternKind kind, std::string_view pattern, std::string_view text,
                          uint32_t escape, Work* work);

// How LIKE and GLOB treat bytes.
enum class BytesInPatterns : uint8_t {
  // They do what the linked library was built for: on Debian they match no bytes.
  kAsSqlite,
  // Bytes are taken for text.
  kMatched,
};

// Puts the SQL functions like and glob, which the operators call, in place of
// SQLite's own. These take time that grows with the product of the lengths of text
// and pattern and cannot be interrupted: one call may last for days.
//
// The price: SQLite looks up no index for `column LIKE 'abc%'` or `column GLOB 'abc*'`
// then. The executor outlives what is run on `db`.
absl::Status RegisterPatterns(sqlite3* db, const StatementExecutor* executor,
                              BytesInPatterns bytes);

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_PATTERNS_H_
