// What differs between backends. A new one is a subclass in a file of its own
// and a line in MakeDialect.
#ifndef PENSTOCK_MIGRATIONS_DIALECT_H_
#define PENSTOCK_MIGRATIONS_DIALECT_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "migrations/history.h"
#include "migrations/session.h"
#include "migrations/splitter.h"

namespace penstock::migrations {

// Of one database and one history table. One thread at a time; everything may
// block except what says otherwise.
class Dialect {
 public:
  virtual ~Dialect() = default;

  // Never blocks.
  virtual Syntax syntax() const = 0;

  // A step and its row of the history can commit together. If not, every step
  // runs statement by statement. Never blocks.
  virtual bool transactional_ddl() const { return true; }

  // The backend refuses this statement inside a transaction. Never blocks.
  virtual bool NeedsNoTransaction(const SqlStatement& statement) const = 0;

  // Takes the lock that keeps every other migrator off this history, whichever
  // process it is in. False: somebody has it; nothing is held meanwhile, so try
  // again later. The lock ends with Unlock, with the session, or with the
  // process, whatever comes first.
  virtual absl::StatusOr<bool> TryLock(Session* session) = 0;
  virtual absl::Status Unlock(Session* session) = 0;

  // The history's store, which keeps what it is given. Create does nothing if it
  // is there; Read of one that is not there is an empty history.
  virtual absl::Status CreateHistory(Session* session) = 0;
  virtual absl::StatusOr<std::vector<HistoryRow>> ReadHistory(Session* session) = 0;
  // kUniqueViolation if there is a row with this id.
  virtual absl::Status InsertRow(Session* session, const HistoryRow& row) = 0;
  // Replaces the row with this id.
  virtual absl::Status UpdateRow(Session* session, const HistoryRow& row) = 0;

  // Takes back what a step's statements may have left in the session, but not
  // the lock. Not called inside a transaction.
  virtual absl::Status CleanUp(Session* session, const std::vector<SqlStatement>& statements) = 0;
};

// `driver` is the name of a driver ("sqlite"), `table` an identifier of letters,
// digits and underscores. kUnsupported for a driver that has no migrations.
absl::StatusOr<std::unique_ptr<Dialect>> MakeDialect(std::string_view driver,
                                                     const std::string& table);

std::unique_ptr<Dialect> MakeSqliteDialect(const std::string& table);
std::unique_ptr<Dialect> MakePostgresDialect(const std::string& table);

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_DIALECT_H_
