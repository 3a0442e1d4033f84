// Databases that another tool has migrated: how they are told, and what its table says.
#ifndef PENSTOCK_MIGRATIONS_OTHER_TOOLS_H_
#define PENSTOCK_MIGRATIONS_OTHER_TOOLS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "migrations/dialect.h"
#include "migrations/history.h"
#include "migrations/migration_connection.h"
#include "migrations/source.h"

namespace penstock::migrations {

// OK if nothing is in the schema where the history will be. kMigrationRefused says what is,
// and which tool has made it if its table is known; the hint has the ways on.
absl::Status CheckNobodyElses(MigrationConnection* connection, Dialect* dialect);

// The rows (without id and time) with which the history begins, from the table of another
// tool. A version that it calls applied and that has no file is recorded without a checksum.
// kMigrationRefused: there is no such table, or more than one; it does not say which
// versions are applied (Alembic, Django, …); it says that one is half done; or none of
// its versions is in `source`.
absl::StatusOr<std::vector<HistoryRow>> ReadOtherTool(MigrationConnection* connection,
                                                      Dialect* dialect, const Source& source);

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_OTHER_TOOLS_H_
