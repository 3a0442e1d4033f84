// CockroachDB. DDL does not belong into a transaction there: with
// autocommit_before_ddl it commits what was before it, and a schema change may fail
// after the commit. And its advisory locks are none, so the lock is a lease.
#include "drivers/api/error.h"
#include "drivers/cockroachdb/cockroachdb_driver.h"
#include "drivers/cockroachdb/migrations/lease.h"
#include "drivers/postgres/migrations/tables.h"
#include "fmt/format.h"

namespace penstock::migrations {
namespace {

class CockroachDbDialect final : public PostgresTables {
 public:
  CockroachDbDialect(const std::string& table, const LockOptions& lock)
      : PostgresTables(table), lease_(lock.lease) {}

  bool transactional_ddl() const override { return false; }
  // Whatever may be one does not run in a transaction anyway.
  bool NeedsNoTransaction(const SqlStatement&) const override { return false; }

  absl::StatusOr<bool> TryLock(MigrationConnection* connection) override {
    absl::StatusOr<std::string> lock = Qualified(connection, LockTable());
    if (!lock.ok()) return lock.status();
    // IF NOT EXISTS alone would want the right to create tables.
    absl::StatusOr<bool> exists = Exists(connection, *lock);
    if (!exists.ok()) return exists.status();
    absl::StatusOr<bool> locked = lease_.TryTake(connection, *lock, *exists);
    // A setting that a step makes holds for its other statements.
    if (locked.ok() && *locked) connection->driver_connection()->KeepSession(true);
    return locked;
  }

  absl::Status CheckLock() const override { return lease_.Check(); }

  absl::Status Unlock(MigrationConnection* connection) override {
    connection->driver_connection()->KeepSession(false);
    return lease_.Release(connection);
  }

  absl::Status CleanUp(MigrationConnection* connection, const std::vector<SqlStatement>&) override {
    absl::Status cleaned = connection->driver_connection()->Reset();
    connection->driver_connection()->KeepSession(true);
    return cleaned;
  }

 protected:
  // Only the holder of the lease writes a row: the condition and the write are one statement, at
  // SERIALIZABLE. The types have to be said, as the values are not where the columns
  // are.
  std::string InsertStatement(const std::string& table, std::string_view columns) const override {
    return fmt::format(
        "INSERT INTO {} ({}) SELECT $1::bigint, $2::bigint, $3::text, $4::text, $5::text, "
        "$6::text, $7::bigint, $8::text, $9::timestamptz, $10::bigint FROM {} AS held WHERE {}",
        table, columns, lease_.table(), lease_.Condition());
  }

  std::string UpdateStatement(const std::string& table, std::string_view set) const override {
    return fmt::format("UPDATE {} AS history SET {} FROM {} AS held WHERE history.id = $1 AND {}",
                       table, set, lease_.table(), lease_.Condition());
  }

  absl::Status NothingWritten(const HistoryRow&) const override {
    return driver::MakeErrorWithHint(
        driver::Reason::kMigrationLocked,
        "another migrator has taken over the migration lock, because its lease had expired, so "
        "nothing more is written to the history",
        "check `status`, then run the migration again; the other migrator's changes remain");
  }

 private:
  Lease lease_;
};

}  // namespace

}  // namespace penstock::migrations

namespace penstock::cockroachdb {

std::unique_ptr<migrations::Dialect> MakeMigrations(const std::string& table,
                                                    const migrations::LockOptions& lock) {
  return std::make_unique<migrations::CockroachDbDialect>(table, lock);
}

}  // namespace penstock::cockroachdb
