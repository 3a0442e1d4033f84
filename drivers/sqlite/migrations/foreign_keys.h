// Foreign keys in a step that turns them off, as SQLite's own advice on rebuilding a
// table has it (https://sqlite.org/lang_altertable.html):
//
//   PRAGMA foreign_keys=OFF; BEGIN; … PRAGMA foreign_key_check; COMMIT;
//   PRAGMA foreign_keys=ON;
#ifndef PENSTOCK_DRIVERS_SQLITE_MIGRATIONS_FOREIGN_KEYS_H_
#define PENSTOCK_DRIVERS_SQLITE_MIGRATIONS_FOREIGN_KEYS_H_

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "migrations/migration_connection.h"
#include "migrations/source.h"

namespace penstock::migrations {

// Takes the statements that set it out of the script's, and notes in it what the step is to
// run with: off if one of them turns foreign keys off. Refused, with the file and the line,
// is what would not do what it says: in a script without a transaction, and one that turns
// them off with nothing after it, for the next file.
absl::Status TakeForeignKeys(Script* script, std::vector<SqlStatement>* statements);

// Compares what is violated before a step and after it, in the database `main`. A
// violation that was there before is not the step's fault; for two tables their number
// may not grow. Reads every table that refers to another one, and what it refers to.
class ForeignKeyCheck {
 public:
  // To be called in the transaction of the step, before its first statement.
  absl::Status Begin(MigrationConnection* connection);
  // And after its last one. kForeignKeyViolation names the table, the row, its column and
  // the table it refers to.
  absl::Status End(MigrationConnection* connection) const;

 private:
  // The violations of one table that refers to one other.
  struct Violations {
    int64_t count = 0;
    // The first of them, by their rowid; a table WITHOUT ROWID has none.
    std::set<int64_t> rows;
  };
  // Found by the two names.
  using Tables = std::map<std::pair<std::string, std::string>, Violations>;

  static absl::StatusOr<std::vector<std::string>> ReferringTables(MigrationConnection* connection);
  static absl::Status ReadTable(MigrationConnection* connection, const std::string& table,
                                Tables* tables);
  absl::Status Error(MigrationConnection* connection, const std::string& table,
                     const std::string& parent, const Violations& now,
                     const Violations* before) const;

  Tables before_;
  // Tables of which SQLite cannot say it: what they refer to is no key.
  std::set<std::string> mismatched_;
};

}  // namespace penstock::migrations

#endif  // PENSTOCK_DRIVERS_SQLITE_MIGRATIONS_FOREIGN_KEYS_H_
