#include "migrations/dialect.h"

#include <algorithm>
#include <array>

#include "drivers/api/error.h"
#include "drivers/api/spec.h"
#include "fmt/format.h"

namespace penstock::migrations {

bool Dialect::ChangesSchema(const SqlStatement& statement) const {
  constexpr std::array<std::string_view, 8> kRows = {"SELECT", "INSERT",  "UPDATE", "DELETE",
                                                     "UPSERT", "REPLACE", "WITH",   "VALUES"};
  // SELECT … INTO makes a table.
  if (statement.StartsWith({"SELECT"}) && statement.HasWord("INTO")) return true;
  return std::find(kRows.begin(), kRows.end(), statement.Word(0)) == kRows.end();
}

absl::Status Dialect::Arrange(Script*, std::vector<SqlStatement>*) const {
  return absl::OkStatus();
}

absl::Status Dialect::Begin(MigrationConnection* connection, const Script&) {
  return connection->Begin();
}

absl::Status Dialect::BeforeCommit(MigrationConnection*, const Script&) { return absl::OkStatus(); }

absl::Status Dialect::InsertRowAndCommit(MigrationConnection* connection, const HistoryRow& row) {
  absl::Status status = InsertRow(connection, row);
  return status.ok() ? connection->Commit() : status;
}

absl::Status Dialect::CheckDone(MigrationConnection*, const SqlStatement&) {
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> Dialect::ResetRole(MigrationConnection*,
                                                            const std::vector<SqlStatement>&) {
  return std::vector<std::string>();
}

absl::StatusOr<std::vector<std::string>> Dialect::Strangers(MigrationConnection*) {
  return std::vector<std::string>();
}

absl::StatusOr<std::string> Dialect::Qualified(MigrationConnection*, std::string_view table) {
  return std::string(table);
}

absl::StatusOr<std::unique_ptr<Dialect>> MakeDialect(std::string_view driver,
                                                     const std::string& table,
                                                     const LockOptions& lock) {
  absl::StatusOr<const driver::DriverSpec*> spec = driver::RequireDriver(driver);
  if (!spec.ok()) return spec.status();
  if ((*spec)->migrations != nullptr) return (*spec)->migrations(table, lock);
  return driver::MakeErrorWithHint(driver::Reason::kUnsupported,
                                   fmt::format("the driver {} does not support migrations", driver),
                                   "use Ping to see what a database supports");
}

}  // namespace penstock::migrations
