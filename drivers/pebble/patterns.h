// LIKE and GLOB on bytes.
#ifndef PENSTOCK_DRIVERS_PEBBLE_PATTERNS_H_
#define PENSTOCK_DRIVERS_PEBBLE_PATTERNS_H_

#include "absl/status/status.h"

struct sqlite3;

namespace penstock::pebble {

// Puts LIKE and GLOB in place of SQLite's own, which as Debian builds it match no
// bytes: these take bytes for text. For text they are the same; like SQLite's
// they look no further than a zero byte.
absl::Status RegisterPatterns(sqlite3* db);

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_PATTERNS_H_
