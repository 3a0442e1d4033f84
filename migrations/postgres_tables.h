// What PostgreSQL and CockroachDB have in common: where the history is.
#ifndef PENSTOCK_MIGRATIONS_POSTGRES_TABLES_H_
#define PENSTOCK_MIGRATIONS_POSTGRES_TABLES_H_

#include <string>
#include <string_view>

#include "migrations/sql_dialect.h"

namespace penstock::migrations {

class PostgresTables : public SqlDialect {
 public:
  explicit PostgresTables(const std::string& table) : SqlDialect(table) {}

  Syntax syntax() const override { return PostgresSyntax(); }

 protected:
  // In the first schema of the search_path that exists. Found once: a step may change
  // the search_path.
  absl::StatusOr<std::string> QualifiedTable(Session* session) override;
  absl::StatusOr<bool> HistoryExists(Session* session) override;
  std::string_view timestamp_type() const override { return "TIMESTAMPTZ"; }

  // `name` in the schema of the history, quoted.
  absl::StatusOr<std::string> Qualified(Session* session, std::string_view name);
  // Of such a name.
  static absl::StatusOr<bool> Exists(Session* session, const std::string& qualified);

 private:
  std::string schema_;  // quoted
};

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_POSTGRES_TABLES_H_
