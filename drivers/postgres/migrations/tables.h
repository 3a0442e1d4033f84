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

  absl::StatusOr<bool> HistoryExists(MigrationConnection* connection) override;
  // In the first schema of the search_path that exists. Found once: a step may change
  // the search_path.
  absl::StatusOr<std::string> Qualified(MigrationConnection* connection,
                                        std::string_view name) override;
  // Without what belongs to an extension.
  absl::StatusOr<std::vector<std::string>> Strangers(MigrationConnection* connection) override;
  absl::StatusOr<std::vector<std::string>> ResetRole(
      MigrationConnection* connection, const std::vector<SqlStatement>& statements) override;

 protected:
  std::string_view timestamp_type() const override { return "TIMESTAMPTZ"; }

  // The parts of a qualified name.
  static absl::StatusOr<bool> Exists(MigrationConnection* connection, const std::string& qualified);
  // One of them may change the session's settings or role.
  static bool ChangesSession(const std::vector<SqlStatement>& statements);

 private:
  absl::StatusOr<std::string> Schema(MigrationConnection* connection);

  std::string schema_;  // quoted
};

}  // namespace penstock::migrations

#endif  // PENSTOCK_DRIVERS_POSTGRES_MIGRATIONS_TABLES_H_
