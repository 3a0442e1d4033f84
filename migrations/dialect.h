// Tells the migrator how a backend differs from others. Each driver has a subclass in its own
// folder, which its DriverSpec makes.
#ifndef PENSTOCK_MIGRATIONS_DIALECT_H_
#define PENSTOCK_MIGRATIONS_DIALECT_H_

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "migrations/history.h"
#include "migrations/migration_connection.h"
#include "migrations/splitter.h"

namespace penstock::migrations {

struct Script;

// A dialect serves one database and one history table. One thread at a time; everything may
// block except what says otherwise.
class Dialect {
 public:
  virtual ~Dialect() = default;

  // Never blocks.
  virtual Syntax syntax() const = 0;

  // Whatever a step does, it and its row of the history can commit together. If
  // not, only a step of which no statement changes the schema does, and any other
  // runs statement by statement. Never blocks.
  virtual bool transactional_ddl() const { return true; }

  // Asked where transactional_ddl() is false: whether the statement is anything but
  // one that reads and writes rows. Never blocks.
  virtual bool ChangesSchema(const SqlStatement& statement) const;

  // The backend refuses this statement inside a transaction. Never blocks.
  virtual bool NeedsNoTransaction(const SqlStatement& statement) const = 0;

  // Takes out of a script's statements what the migrator does itself, and notes it in the
  // script; everything else of that is known by then. Errors name the file. Never blocks.
  virtual absl::Status Arrange(Script* script, std::vector<SqlStatement>* statements) const;

  // Opens the transaction of a step, as its script wants it, and looks at what BeforeCommit
  // compares with.
  virtual absl::Status Begin(MigrationConnection* connection, const Script& script);
  // Whether what the script has done may be committed. To be called in that transaction.
  virtual absl::Status BeforeCommit(MigrationConnection* connection, const Script& script);

  // Takes the lock that keeps every other migrator off this history, whichever
  // process it is in. False: somebody has it; nothing is held meanwhile, so try
  // again later. The lock ends with Unlock, with the session or with the process,
  // whatever comes first; one that is a lease also ends some time after its holder
  // was heard of for the last time.
  virtual absl::StatusOr<bool> TryLock(MigrationConnection* connection) = 0;
  // kMigrationLocked if the lock is known to be lost, or cannot be known to be held
  // any more: nothing more may be run then. Never blocks.
  virtual absl::Status CheckLock() const { return absl::OkStatus(); }
  virtual absl::Status Unlock(MigrationConnection* connection) = 0;

  // Outside a transaction the statement has ended well, or is taken for done: whether it
  // has left nothing half done. kMigrationRefused names what it left, an invalid index for
  // example, and what to do.
  virtual absl::Status CheckDone(MigrationConnection* connection, const SqlStatement& statement);

  // Makes the session the migrator's again, as which the history is written, if the statements of
  // a step may have changed its role. Returns the statements that give the role back.
  virtual absl::StatusOr<std::vector<std::string>> ResetRole(
      MigrationConnection* connection, const std::vector<SqlStatement>& statements);

  // Names of tables, views, types and functions in the schema where the history is or would
  // be, but for those that Penstock keeps there itself. At most some thousand.
  virtual absl::StatusOr<std::vector<std::string>> Strangers(MigrationConnection* connection);
  // The full name of a table there, quoted.
  virtual absl::StatusOr<std::string> Qualified(MigrationConnection* connection,
                                                std::string_view table);

  // The history's store, which keeps what it is given. Exists is true where no store has to
  // be made. Create does nothing if it is there; Read of one that is not there is an empty
  // history.
  virtual absl::StatusOr<bool> HistoryExists(MigrationConnection*) { return true; }
  virtual absl::Status CreateHistory(MigrationConnection* connection) = 0;
  virtual absl::StatusOr<std::vector<HistoryRow>> ReadHistory(MigrationConnection* connection) = 0;
  // kUniqueViolation if there is a row with this id. Where the lock is a lease,
  // rows are written by its holder only; kMigrationLocked for anybody else.
  virtual absl::Status InsertRow(MigrationConnection* connection, const HistoryRow& row) = 0;
  // Inserts the row as the last thing of a transaction, which is committed with it. If the row is
  // not written the transaction is open still.
  virtual absl::Status InsertRowAndCommit(MigrationConnection* connection, const HistoryRow& row);
  // Replaces the row with this id.
  virtual absl::Status UpdateRow(MigrationConnection* connection, const HistoryRow& row) = 0;

  // Takes back what a step's statements may have left in the session, but not
  // the lock. Not called inside a transaction.
  virtual absl::Status CleanUp(MigrationConnection* connection,
                               const std::vector<SqlStatement>& statements) = 0;
};

struct LockOptions {
  // How long the lock of a holder that has died keeps the others off, where it is a
  // lease (CockroachDB); a third of it is the time between its extensions.
  driver::Duration lease = std::chrono::seconds(30);
};

// The dialect of a driver ("sqlite"); `table` is an identifier of letters, digits and
// underscores. kUnsupported for a driver that has no migrations.
absl::StatusOr<std::unique_ptr<Dialect>> MakeDialect(std::string_view driver,
                                                     const std::string& table,
                                                     const LockOptions& lock = {});

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_DIALECT_H_
