#include "drivers/sqlite/migrations/foreign_keys.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "drivers/api/error.h"
#include "drivers/sqlite/migrations/pragma.h"
#include "fmt/format.h"

namespace penstock::migrations {
namespace {

using driver::ErrorInfo;
using driver::Reason;
using driver::Value;

// Rows that are told apart from those that violated the key before.
constexpr size_t kRemembered = 1000;

}  // namespace

absl::Status TakeForeignKeys(Script* script, std::vector<SqlStatement>* statements) {
  std::vector<SqlStatement> others;
  const auto refuse = [script](int line, std::string_view what, std::string_view hint) {
    return driver::MakeErrorWithHint(
        Reason::kInvalidParameter,
        fmt::format("{}, line {}: PRAGMA foreign_keys {}", script->file, line, what), hint);
  };
  // The line of an OFF that nothing has come after, from 1; 0: there is none.
  int idle_line = 0;
  for (SqlStatement& statement : *statements) {
    const std::optional<bool> on = SetsForeignKeys(statement);
    if (!on.has_value()) {
      const bool does_something = !statement.StartsWith({"PRAGMA"}) &&
                                  !statement.BeginsTransaction() && !statement.EndsTransaction();
      if (does_something) idle_line = 0;
      others.push_back(std::move(statement));
      continue;
    }
    if (!script->transactional) {
      return refuse(statement.line, "has no effect in a file without a transaction",
                    *on ? "remove it: foreign keys are as the configuration says"
                        : fmt::format("remove the line \"{}\"; move what cannot run inside a "
                                      "transaction into a file of its own",
                                      kNoTransactionLine));
    }
    if (!*on) idle_line = statement.line;
    script->foreign_keys = script->foreign_keys.value_or(true) && *on;
  }
  *statements = std::move(others);
  if (idle_line == 0) return absl::OkStatus();
  return refuse(idle_line, "turns foreign keys off, but nothing comes after it",
                "write it into the file that needs it, before its statements; it turns foreign "
                "keys off for the step of one file only");
}

absl::StatusOr<std::vector<std::string>> ForeignKeyCheck::ReferringTables(
    MigrationConnection* connection) {
  absl::StatusOr<Table> found = connection->Query(
      "SELECT DISTINCT s.name FROM main.sqlite_schema AS s, pragma_foreign_key_list(s.name, "
      "'main') "
      "WHERE s.type = 'table'");
  if (!found.ok()) return found.status();
  std::vector<std::string> tables;
  for (const std::vector<Cell>& row : *found) tables.push_back(row[0].text);
  return tables;
}

absl::Status ForeignKeyCheck::ReadTable(MigrationConnection* connection, const std::string& table,
                                        Tables* tables) {
  const std::array args = {Value::Text(table)};
  absl::StatusOr<Table> counted = connection->Query(
      "SELECT parent, count(*) FROM pragma_foreign_key_check($1, 'main') GROUP BY parent", args);
  if (!counted.ok()) return counted.status();
  for (const std::vector<Cell>& row : *counted) {
    Violations& violations = (*tables)[{table, row[0].text}];
    violations.count = row[1].integer;
    const std::array pair = {Value::Text(table), Value::Text(row[0].text),
                             Value::Integer(static_cast<int64_t>(kRemembered))};
    absl::StatusOr<Table> rows = connection->Query(
        "SELECT rowid FROM pragma_foreign_key_check($1, 'main') WHERE parent = $2 LIMIT $3", pair);
    if (!rows.ok()) return rows.status();
    for (const std::vector<Cell>& cells : *rows) {
      if (cells[0].kind == driver::Kind::kInteger) violations.rows.insert(cells[0].integer);
    }
  }
  return absl::OkStatus();
}

absl::Status ForeignKeyCheck::Begin(MigrationConnection* connection) {
  absl::StatusOr<std::vector<std::string>> tables = ReferringTables(connection);
  if (!tables.ok()) return tables.status();
  for (const std::string& table : *tables) {
    absl::Status status = ReadTable(connection, table, &before_);
    if (status.ok()) continue;
    if (driver::GetErrorInfo(status).reason != Reason::kSyntax) return status;
    mismatched_.insert(table);
  }
  return absl::OkStatus();
}

absl::Status ForeignKeyCheck::End(MigrationConnection* connection) const {
  absl::StatusOr<std::vector<std::string>> tables = ReferringTables(connection);
  if (!tables.ok()) return tables.status();
  for (const std::string& table : *tables) {
    Tables now;
    absl::Status status = ReadTable(connection, table, &now);
    if (!status.ok() && driver::GetErrorInfo(status).reason == Reason::kSyntax &&
        mismatched_.contains(table)) {
      continue;
    }
    if (!status.ok()) return driver::Annotate(status, "the check of foreign keys after the step");
    for (const auto& [names, violations] : now) {
      const auto before = before_.find(names);
      const Violations* known = before == before_.end() ? nullptr : &before->second;
      if (known != nullptr && violations.count <= known->count) continue;
      return Error(connection, names.first, names.second, violations, known);
    }
  }
  return absl::OkStatus();
}

absl::Status ForeignKeyCheck::Error(MigrationConnection* connection, const std::string& table,
                                    const std::string& parent, const Violations& now,
                                    const Violations* before) const {
  const auto is_new = [before](int64_t row) {
    return before == nullptr || !before->rows.contains(row);
  };
  const auto row = std::find_if(now.rows.begin(), now.rows.end(), is_new);
  ErrorInfo info;
  info.table = table;
  std::string which = "a row";
  if (row != now.rows.end()) {
    which = fmt::format("row {}", *row);
    const std::array args = {Value::Text(table), Value::Text(parent), Value::Integer(*row)};
    const absl::StatusOr<Table> column = connection->Query(
        "SELECT k.\"from\" FROM pragma_foreign_key_check($1, 'main') AS c, "
        "pragma_foreign_key_list($1, 'main') AS k WHERE c.parent = $2 AND c.rowid = $3 AND k.id = "
        "c.fkid AND k.seq = 0 LIMIT 1",
        args);
    if (column.ok() && !column->empty()) info.column = column->front().front().text;
  }
  info.hint = fmt::format(
      "change or delete the rows of {0} in the file, too: foreign keys are off in its step, which "
      "was undone, so nothing happens to them when rows of {1} are deleted. Use PRAGMA "
      "foreign_key_check to list existing violations",
      table, parent);
  const std::string message = fmt::format(
      "{} of {} refers{} to a row of {} that does not exist ({} such after the step, {} before it)",
      which, table, info.column.empty() ? "" : " by " + info.column, parent, now.count,
      before == nullptr ? 0 : before->count);
  return driver::MakeError(Reason::kForeignKeyViolation, message, std::move(info));
}

}  // namespace penstock::migrations
