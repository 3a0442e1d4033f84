// What PostgreSQL and CockroachDB have in common: where the history is, what else is there,
// and as whom it is written.
#ifndef PENSTOCK_DRIVERS_POSTGRES_MIGRATIONS_TABLES_H_
#define PENSTOCK_DRIVERS_POSTGRES_MIGRATIONS_TABLES_H_

#include <string>
#include <string_view>
#include <vector>

#include "migrations/sql_dialect.h"

namespace penstock::migrations {

class PostgresTables : public SqlDialect {
 public:
  explicit PostgresTables(const std::string& table) : SqlDialect(table) {}

  Syntax syntax() const override { return PostgresSyntax(); }

  absl::StatusOr<bool> HistoryExists(Session* session) override;
  // In the first schema of the search_path that exists. Found once: a step may change
  // the search_path.
  absl::StatusOr<std::string> Qualified(Session* session, std::string_view name) override;
  // Without what belongs to an extension.
  absl::StatusOr<std::vector<std::string>> Strangers(Session* session) override;
  absl::StatusOr<std::vector<std::string>> ResetRole(
      Session* session, const std::vector<SqlStatement>& statements) override;

 protected:
  std::string_view timestamp_type() const override { return "TIMESTAMPTZ"; }

  // The parts of a qualified name.
  static absl::StatusOr<bool> Exists(Session* session, const std::string& qualified);
  // One of them may change the session's settings or role.
  static bool ChangesSession(const std::vector<SqlStatement>& statements);

 private:
  absl::StatusOr<std::string> Schema(Session* session);

  std::string schema_;  // quoted
};

}  // namespace penstock::migrations

#endif  // PENSTOCK_DRIVERS_POSTGRES_MIGRATIONS_TABLES_H_
