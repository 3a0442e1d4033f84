#include "drivers/postgres/migrations/tables.h"

#include <algorithm>
#include <array>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::migrations {

using driver::MakeErrorWithHint;
using driver::Reason;

absl::StatusOr<std::string> PostgresTables::Schema(MigrationConnection* connection) {
  if (schema_.empty()) {
    absl::StatusOr<Table> schema = connection->Query("SELECT quote_ident(current_schema())");
    if (!schema.ok()) return schema.status();
    if (schema->size() != 1 || schema->front().front().text.empty()) {
      return MakeErrorWithHint(
          Reason::kUndefinedTable,
          "no schema of the session's search_path exists, so there is none for the migration "
          "history",
          "create the schema, or correct search_path of the role or the database");
    }
    schema_ = schema->front().front().text;
  }
  return schema_;
}

absl::StatusOr<std::string> PostgresTables::Qualified(MigrationConnection* connection,
                                                      std::string_view name) {
  absl::StatusOr<std::string> schema = Schema(connection);
  if (!schema.ok()) return schema.status();
  return fmt::format("{}.\"{}\"", *schema, name);
}

absl::StatusOr<std::vector<std::string>> PostgresTables::Strangers(
    MigrationConnection* connection) {
  absl::StatusOr<std::string> schema = Schema(connection);
  if (!schema.ok()) return schema.status();
  std::string literal;
  for (const char c : *schema) literal += c == '\'' ? "''" : std::string(1, c);
  // An internal object belongs to another one that is listed, as an identity's sequence does.
  constexpr std::string_view kFree =
      "NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = "
      "'pg_catalog.{}'::regclass AND d.objid = {}.oid AND d.deptype IN ('e', 'i'))";
  const auto free = [&](std::string_view catalogue, std::string_view alias) {
    return fmt::format(fmt::runtime(kFree), catalogue, alias);
  };
  return OthersNames(
      connection,
      fmt::format("SELECT c.relname::text FROM pg_catalog.pg_class c WHERE c.relnamespace = "
                  "'{0}'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND {1} "
                  "UNION SELECT p.proname::text FROM pg_catalog.pg_proc p WHERE p.pronamespace = "
                  "'{0}'::regnamespace AND {2} "
                  "UNION SELECT t.typname::text FROM pg_catalog.pg_type t WHERE t.typnamespace = "
                  "'{0}'::regnamespace AND t.typtype IN ('d', 'e', 'r') AND {3} "
                  "ORDER BY 1 LIMIT 5000",
                  literal, free("pg_class", "c"), free("pg_proc", "p"), free("pg_type", "t")));
}

bool PostgresTables::ChangesSession(const std::vector<SqlStatement>& statements) {
  return std::any_of(statements.begin(), statements.end(), [](const SqlStatement& statement) {
    constexpr std::array<std::string_view, 4> kFirst = {"SET", "RESET", "DO", "CALL"};
    return std::find(kFirst.begin(), kFirst.end(), statement.Word(0)) != kFirst.end() ||
           statement.HasWord("SET_CONFIG");
  });
}

absl::StatusOr<std::vector<std::string>> PostgresTables::ResetRole(
    MigrationConnection* connection, const std::vector<SqlStatement>& statements) {
  std::vector<std::string> restore;
  if (!ChangesSession(statements)) return restore;
  absl::StatusOr<Table> role = connection->Query(
      "SELECT 'SET SESSION AUTHORIZATION ' || pg_catalog.quote_literal(session_user), 'SET ROLE ' "
      "|| pg_catalog.quote_literal(pg_catalog.current_setting('role'))");
  if (!role.ok()) return role.status();
  for (const Cell& cell : role->front()) restore.push_back(cell.text);
  for (const char* sql : {"RESET SESSION AUTHORIZATION", "RESET ROLE"}) {
    absl::Status status = connection->Run(sql);
    if (!status.ok()) return status;
  }
  return restore;
}

absl::StatusOr<bool> PostgresTables::Exists(MigrationConnection* connection,
                                            const std::string& qualified) {
  const std::array args = {driver::Value::Text(qualified)};
  absl::StatusOr<Table> found = connection->Query("SELECT to_regclass($1::text) IS NOT NULL", args);
  if (!found.ok()) return found.status();
  return found->size() == 1 && found->front().front().integer != 0;
}

absl::StatusOr<bool> PostgresTables::HistoryExists(MigrationConnection* connection) {
  absl::StatusOr<std::string> name = QualifiedTable(connection);
  if (!name.ok()) return name.status();
  return Exists(connection, *name);
}

}  // namespace penstock::migrations
