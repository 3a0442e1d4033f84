#include "migrations/dialect.h"

#include <algorithm>
#include <array>

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

absl::Status Dialect::Begin(Session* session, const Script&) { return session->Begin(); }

absl::Status Dialect::BeforeCommit(Session*, const Script&) { return absl::OkStatus(); }

absl::Status Dialect::CheckDone(Session*, const SqlStatement&) { return absl::OkStatus(); }

absl::StatusOr<std::vector<std::string>> Dialect::ResetRole(Session*,
                                                            const std::vector<SqlStatement>&) {
  return std::vector<std::string>();
}

absl::StatusOr<std::vector<std::string>> Dialect::Strangers(Session*) {
  return std::vector<std::string>();
}

absl::StatusOr<std::string> Dialect::Qualified(Session*, std::string_view table) {
  return std::string(table);
}

}  // namespace penstock::migrations
