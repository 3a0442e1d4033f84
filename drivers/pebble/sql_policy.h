// Refuses the SQL that this driver does not have, which SQLite's own parser finds.
#ifndef PENSTOCK_DRIVERS_PEBBLE_SQL_POLICY_H_
#define PENSTOCK_DRIVERS_PEBBLE_SQL_POLICY_H_

#include <string_view>

#include "absl/status/status.h"
#include "drivers/sqlite_engine/policy.h"
#include "drivers/sqlite_engine/statement.h"

namespace penstock::pebble {

// Policy::note: what has to be done outside SQLite, and by itself.
enum StatementNote : int { kCreatesTable = 1, kDropsTable = 2 };

// Refuses what is no table of keys and values, and what would be kept in the
// connection's own memory only.
class SqlPolicy final : public sqlite_engine::Policy {
 private:
  int Decide(int action, const char* first, const char* second, const char* database) override;
  int DecideInside(int action, const char* first, const char* second,
                   const char* database) override;
  int DecidePragma(const char* name, const char* argument);
  int RefuseObject(std::string_view what);
};

// A statement that SQLite has prepared and that is refused all the same; OK if it
// is not.
absl::Status CheckStatement(const sqlite_engine::Statement& statement);

// SQLite's error about what its virtual tables lack as kUnsupported; any other as
// it is.
absl::Status AboutTables(absl::Status status);

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_SQL_POLICY_H_
