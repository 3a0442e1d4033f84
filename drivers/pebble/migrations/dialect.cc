// RocksDB. The history is a keyspace: one entry a row, its key the id, its value
// JSON. One process at a time has the store open, which RocksDB's LOCK file sees to,
// and in that process one migration of a database is under way at a time
// (server::Database::TryBeginMigration; before the daemon serves there is only
// MigrateOnStart). So the lock is there already, and there is none of its own.
#include <array>
#include <optional>

#include "drivers/api/error.h"
#include "drivers/api/key_value.h"
#include "drivers/pebble/migrations/row_json.h"
#include "drivers/pebble/pebble_driver.h"
#include "fmt/format.h"
#include "migrations/dialect.h"

namespace penstock::migrations {
namespace {

using driver::KeyCondition;
using driver::KeyMutation;
using driver::KeyValueRun;
using driver::MakeErrorWithHint;
using driver::Reason;

// In the order of the ids, and to be read by people.
std::string KeyOf(const HistoryRow& row) { return fmt::format("{:019}", row.id); }

class PebbleDialect final : public Dialect {
 public:
  explicit PebbleDialect(const std::string& table) : keyspace_(table) {}

  Syntax syntax() const override { return SqliteSyntax(); }

  bool transactional_ddl() const override { return false; }
  // Whatever may be one does not run in a transaction anyway.
  bool NeedsNoTransaction(const SqlStatement&) const override { return false; }

  absl::StatusOr<bool> TryLock(MigrationConnection*) override { return true; }
  absl::Status Unlock(MigrationConnection*) override { return absl::OkStatus(); }

  // It comes into being with its first row.
  absl::Status CreateHistory(MigrationConnection*) override { return CheckName(); }

  absl::StatusOr<std::vector<HistoryRow>> ReadHistory(MigrationConnection* connection) override {
    absl::Status status = CheckName();
    if (!status.ok()) return status;
    KeyValueRun scan;
    scan.kind = KeyValueRun::Kind::kScan;
    scan.keyspace = keyspace_;
    absl::StatusOr<Table> entries = connection->Scan(&scan);
    if (!entries.ok()) return entries.status();
    std::vector<HistoryRow> rows;
    for (const std::vector<Cell>& entry : *entries) {
      absl::StatusOr<HistoryRow> row = RowFromJson(entry[1].text, keyspace_);
      if (!row.ok()) return row.status();
      rows.push_back(*std::move(row));
    }
    return rows;
  }

  absl::Status InsertRow(MigrationConnection* connection, const HistoryRow& row) override {
    absl::StatusOr<bool> written = Put(connection, row, KeyCondition::Kind::kAbsent);
    if (!written.ok() || *written) return written.status();
    return driver::MakeError(
        Reason::kUniqueViolation,
        fmt::format("the migration history {} already has a row {}", keyspace_, row.id));
  }

  absl::Status UpdateRow(MigrationConnection* connection, const HistoryRow& row) override {
    absl::StatusOr<bool> written = Put(connection, row, KeyCondition::Kind::kPresent);
    if (!written.ok() || *written) return written.status();
    return MakeErrorWithHint(
        Reason::kMigrationLocked,
        fmt::format("row {} of the migration history no longer exists", row.id),
        "check the history before you continue; something has deleted the row");
  }

  // A session has nothing that a step could leave behind.
  absl::Status CleanUp(MigrationConnection*, const std::vector<SqlStatement>&) override {
    return absl::OkStatus();
  }

 private:
  absl::Status CheckName() const {
    absl::Status status = driver::CheckKeyspace(keyspace_);
    return status.ok() ? status : driver::Annotate(status, "migrations_table");
  }

  // False: the condition does not hold.
  absl::StatusOr<bool> Put(MigrationConnection* connection, const HistoryRow& row,
                           KeyCondition::Kind kind) const {
    const std::string key = KeyOf(row);
    const std::string value = ToJson(row);
    const std::array conditions = {KeyCondition{.kind = kind, .key = key}};
    const std::array mutations = {KeyMutation{.key = key, .value = value}};
    KeyValueRun write;
    write.kind = KeyValueRun::Kind::kWrite;
    write.keyspace = keyspace_;
    write.conditions = conditions;
    write.mutations = mutations;
    absl::Status status = connection->Write(&write);
    if (!status.ok()) return status;
    return !write.failed_condition.has_value();
  }

  const std::string keyspace_;
};

}  // namespace

}  // namespace penstock::migrations

namespace penstock::pebble {

std::unique_ptr<migrations::Dialect> MakeMigrations(const std::string& table,
                                                    const migrations::LockOptions& /*lock*/) {
  return std::make_unique<migrations::PebbleDialect>(table);
}

}  // namespace penstock::pebble
