#include "migrations/postgres_tables.h"

#include <array>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::migrations {

using driver::MakeErrorWithHint;
using driver::Reason;

absl::StatusOr<std::string> PostgresTables::Qualified(Session* session, std::string_view name) {
  if (schema_.empty()) {
    absl::StatusOr<Table> schema = session->Query("SELECT quote_ident(current_schema())");
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
  return fmt::format("{}.\"{}\"", schema_, name);
}

absl::StatusOr<bool> PostgresTables::Exists(Session* session, const std::string& qualified) {
  const std::array args = {driver::Value::Text(qualified)};
  absl::StatusOr<Table> found = session->Query("SELECT to_regclass($1::text) IS NOT NULL", args);
  if (!found.ok()) return found.status();
  return found->size() == 1 && found->front().front().integer != 0;
}

absl::StatusOr<std::string> PostgresTables::QualifiedTable(Session* session) {
  return Qualified(session, table());
}

absl::StatusOr<bool> PostgresTables::HistoryExists(Session* session) {
  absl::StatusOr<std::string> name = QualifiedTable(session);
  if (!name.ok()) return name.status();
  return Exists(session, *name);
}

}  // namespace penstock::migrations
