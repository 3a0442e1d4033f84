// SQLite. Its lock is that of a file beside the database, which the operating
// system takes back from a process that dies.
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "drivers/api/error.h"
#include "drivers/sqlite/migrations/foreign_keys.h"
#include "drivers/sqlite/sqlite_driver.h"
#include "fmt/format.h"
#include "migrations/source.h"
#include "migrations/sql_dialect.h"

namespace penstock::migrations {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

// Beside the database's file, while somebody migrates.
constexpr std::string_view kLockSuffix = "-migration-lock";

class SqliteDialect final : public SqlDialect {
 public:
  explicit SqliteDialect(const std::string& table) : SqlDialect(table) {}
  ~SqliteDialect() override { Close(); }
  SqliteDialect(const SqliteDialect&) = delete;
  SqliteDialect& operator=(const SqliteDialect&) = delete;

  Syntax syntax() const override { return SqliteSyntax(); }

  bool NeedsNoTransaction(const SqlStatement& statement) const override {
    return statement.StartsWith({"VACUUM"});
  }

  absl::Status Arrange(Script* script, std::vector<SqlStatement>* statements) const override {
    absl::Status status = TakeForeignKeys(script, statements);
    if (status.ok() && script->transactional) JoinTransactions(statements);
    return status;
  }

  // Foreign keys have to be on without the script for the check to make sense.
  absl::Status Begin(MigrationConnection* connection, const Script& script) override {
    check_.reset();
    const bool off = script.foreign_keys.has_value() && !*script.foreign_keys;
    bool check = false;
    if (off) {
      absl::StatusOr<Table> setting = connection->Query("PRAGMA foreign_keys");
      if (!setting.ok()) return setting.status();
      check = setting->size() == 1 && setting->front().front().integer != 0;
    }
    absl::Status status = connection->Begin(script.foreign_keys);
    if (!status.ok() || !check) return status;
    return check_.emplace().Begin(connection);
  }

  absl::Status BeforeCommit(MigrationConnection* connection, const Script&) override {
    return check_.has_value() ? check_->End(connection) : absl::OkStatus();
  }

  absl::StatusOr<bool> TryLock(MigrationConnection* connection) override {
    absl::StatusOr<std::string> file = DatabaseFile(connection);
    if (!file.ok()) return file.status();
    // A database in memory has one writer, which the caller holds.
    if (file->empty()) return true;
    path_ = *file + std::string(kLockSuffix);
    constexpr int kMode = 0660;
    descriptor_ = open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kMode);
    if (descriptor_ < 0) return OpenError();
    if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0 && IsStillThere()) return true;
    Close();
    return false;
  }

  absl::Status Unlock(MigrationConnection*) override {
    // Another process that has opened it meanwhile will find that it is not there any more.
    if (descriptor_ >= 0) unlink(path_.c_str());
    Close();
    return absl::OkStatus();
  }

  absl::Status CleanUp(MigrationConnection* connection,
                       const std::vector<SqlStatement>& statements) override {
    for (const SqlStatement& statement : statements) {
      if (statement.HasWord("TEMP") || statement.HasWord("TEMPORARY") ||
          statement.StartsWith({"ATTACH"})) {
        return connection->driver_connection()->Reset();
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::string> Qualified(MigrationConnection*, std::string_view name) override {
    return fmt::format("main.\"{}\"", name);
  }

  absl::StatusOr<std::vector<std::string>> Strangers(MigrationConnection* connection) override {
    return OthersNames(connection,
                       "SELECT name FROM main.sqlite_schema WHERE type IN ('table', 'view') AND "
                       "substr(name, 1, 7) <> 'sqlite_' ORDER BY name LIMIT 5000");
  }

  absl::StatusOr<bool> HistoryExists(MigrationConnection* connection) override {
    const std::array args = {driver::Value::Text(table())};
    absl::StatusOr<Table> found = connection->Query(
        "SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = $1 COLLATE NOCASE", args);
    if (!found.ok()) return found.status();
    return !found->empty();
  }

 protected:
  std::string_view timestamp_type() const override { return "TIMESTAMP"; }
  // Then it is the row's own number, and there is no index beside the table.
  std::string_view id_type() const override { return "INTEGER"; }

 private:
  // What is committed piece by piece elsewhere is committed with the step here: a BEGIN
  // and the COMMIT after it mean nothing more. What does not pair up stays, to be refused.
  static void JoinTransactions(std::vector<SqlStatement>* statements) {
    bool open = false;
    for (const SqlStatement& statement : *statements) {
      if (!statement.BeginsTransaction() && !statement.EndsTransaction()) continue;
      if (statement.BeginsTransaction() == open) return;
      open = !open;
    }
    if (open) return;
    std::erase_if(*statements, [](const SqlStatement& statement) {
      return statement.BeginsTransaction() || statement.EndsTransaction();
    });
  }

  // Empty for a database in memory.
  static absl::StatusOr<std::string> DatabaseFile(MigrationConnection* connection) {
    absl::StatusOr<Table> list = connection->Query("PRAGMA database_list");
    if (!list.ok()) return list.status();
    for (const std::vector<Cell>& row : *list) {
      if (row.size() == 3 && row[1].text == "main") return row[2].text;
    }
    return std::string();
  }

  absl::Status OpenError() {
    const int code = errno;
    return MakeErrorWithHint(
        Reason::kIo, fmt::format("cannot open {}: {}", path_, std::strerror(code)),
        "the daemon must be able to create this file while it migrates the database");
  }

  // The one who had the lock may have removed the file after it was opened here.
  bool IsStillThere() const {
    struct stat opened {};
    struct stat found {};
    return fstat(descriptor_, &opened) == 0 && stat(path_.c_str(), &found) == 0 &&
           opened.st_ino == found.st_ino && opened.st_dev == found.st_dev;
  }

  void Close() {
    const int descriptor = std::exchange(descriptor_, -1);
    if (descriptor >= 0) close(descriptor);
  }

  std::string path_;
  int descriptor_ = -1;
  // Of the step that runs with foreign keys off.
  std::optional<ForeignKeyCheck> check_;
};

}  // namespace

}  // namespace penstock::migrations

namespace penstock::sqlite {

std::unique_ptr<migrations::Dialect> MakeMigrations(const std::string& table,
                                                    const migrations::LockOptions& /*lock*/) {
  return std::make_unique<migrations::SqliteDialect>(table);
}

}  // namespace penstock::sqlite
