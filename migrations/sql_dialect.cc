#include "migrations/sql_dialect.h"

#include <array>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::migrations {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;
using driver::Value;

constexpr int64_t kMicrosInSecond = 1'000'000;
constexpr std::string_view kColumns =
    "id, version, name, checksum, direction, state, statement, note, applied_at, duration_ms";
constexpr std::string_view kSetColumns =
    "version = $2, name = $3, checksum = $4, direction = $5, state = $6, statement = $7, "
    "note = $8, applied_at = $9, duration_ms = $10";
constexpr size_t kColumnCount = 10;

// The column is a signed number of 64 bits, which every backend has: a version above 2^63-1
// is less by 2^64 there.
std::array<Value, kColumnCount> Values(const HistoryRow& row) {
  // Both sides of the epoch: nanoseconds are never negative.
  int64_t seconds = row.applied_at_us / kMicrosInSecond;
  int64_t micros = row.applied_at_us % kMicrosInSecond;
  if (micros < 0) {
    --seconds;
    micros += kMicrosInSecond;
  }
  return {Value::Integer(row.id),
          Value::Integer(static_cast<int64_t>(row.version)),
          Value::Text(row.name),
          Value::Text(row.checksum),
          Value::Text(Name(row.direction)),
          Value::Text(Name(row.state)),
          Value::Integer(row.statement),
          Value::Text(row.note),
          Value::Timestamp(seconds, static_cast<int32_t>(micros * 1000)),
          Value::Integer(row.duration_ms)};
}

absl::StatusOr<HistoryRow> FromCells(const std::vector<Cell>& cells, const std::string& table) {
  HistoryRow row;
  row.id = cells[0].integer;
  row.version = static_cast<uint64_t>(cells[1].integer);
  row.name = cells[2].text;
  row.checksum = cells[3].text;
  row.statement = cells[6].integer;
  row.note = cells[7].text;
  row.applied_at_us = cells[8].integer;
  row.duration_ms = cells[9].integer;
  return WithNames(std::move(row), cells[4].text, cells[5].text, table);
}

}  // namespace

absl::Status SqlDialect::CreateHistory(MigrationConnection* connection) {
  // IF NOT EXISTS alone would want the right to create tables.
  absl::StatusOr<bool> exists = HistoryExists(connection);
  if (!exists.ok() || *exists) return exists.status();
  absl::StatusOr<std::string> name = QualifiedTable(connection);
  if (!name.ok()) return name.status();
  return connection->Run(fmt::format(
      "CREATE TABLE {} (id {} NOT NULL PRIMARY KEY, version BIGINT NOT NULL, "
      "name TEXT NOT NULL, checksum TEXT NOT NULL, direction TEXT NOT NULL, state TEXT NOT NULL, "
      "statement BIGINT NOT NULL, note TEXT NOT NULL, applied_at {} NOT NULL, "
      "duration_ms BIGINT NOT NULL)",
      *name, id_type(), timestamp_type()));
}

absl::StatusOr<std::vector<HistoryRow>> SqlDialect::ReadHistory(MigrationConnection* connection) {
  absl::StatusOr<bool> exists = HistoryExists(connection);
  if (!exists.ok()) return exists.status();
  std::vector<HistoryRow> rows;
  if (!*exists) return rows;
  absl::StatusOr<std::string> name = QualifiedTable(connection);
  if (!name.ok()) return name.status();
  absl::StatusOr<Table> table =
      connection->Query(fmt::format("SELECT {} FROM {} ORDER BY id", kColumns, *name));
  if (!table.ok()) return table.status();
  for (const std::vector<Cell>& cells : *table) {
    absl::StatusOr<HistoryRow> row = FromCells(cells, *name);
    if (!row.ok()) return row.status();
    rows.push_back(*std::move(row));
  }
  return rows;
}

absl::Status SqlDialect::InsertRow(MigrationConnection* connection, const HistoryRow& row) {
  absl::StatusOr<std::string> name = QualifiedTable(connection);
  if (!name.ok()) return name.status();
  return Write(connection, InsertStatement(*name, kColumns), row);
}

absl::Status SqlDialect::InsertAndCommit(MigrationConnection* connection, const HistoryRow& row) {
  absl::StatusOr<std::string> name = QualifiedTable(connection);
  if (!name.ok()) return name.status();
  return connection->RunAndCommit(InsertStatement(*name, kColumns), Values(row));
}

absl::Status SqlDialect::UpdateRow(MigrationConnection* connection, const HistoryRow& row) {
  absl::StatusOr<std::string> name = QualifiedTable(connection);
  if (!name.ok()) return name.status();
  return Write(connection, UpdateStatement(*name, kSetColumns), row);
}

absl::Status SqlDialect::Write(MigrationConnection* connection, const std::string& sql,
                               const HistoryRow& row) {
  absl::StatusOr<int64_t> written = connection->Change(sql, Values(row));
  if (!written.ok()) return written.status();
  return *written == 1 ? absl::OkStatus() : NothingWritten(row);
}

std::string SqlDialect::InsertStatement(const std::string& table, std::string_view columns) const {
  return fmt::format("INSERT INTO {} ({}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", table,
                     columns);
}

std::string SqlDialect::UpdateStatement(const std::string& table, std::string_view set) const {
  return fmt::format("UPDATE {} SET {} WHERE id = $1", table, set);
}

absl::Status SqlDialect::NothingWritten(const HistoryRow& row) const {
  return MakeErrorWithHint(Reason::kMigrationLocked,
                           fmt::format("row {} of the migration history no longer exists", row.id),
                           "check the history before you continue; something has deleted the row");
}

bool SqlDialect::IsOurs(std::string_view name) const {
  constexpr std::string_view kKeyspacePrefix = "penstock_kv_";
  return name == table_ || name == LockTable() || name.starts_with(kKeyspacePrefix);
}

std::string SqlDialect::LockTable() const {
  // PostgreSQL cuts longer names off.
  constexpr size_t kLongest = 58;
  return table_.substr(0, kLongest) + "_lock";
}

absl::StatusOr<std::vector<std::string>> SqlDialect::OthersNames(MigrationConnection* connection,
                                                                 const std::string& sql) {
  absl::StatusOr<Table> found = connection->Query(sql);
  if (!found.ok()) return found.status();
  std::vector<std::string> names;
  for (std::vector<Cell>& row : *found) {
    if (!IsOurs(row[0].text)) names.push_back(std::move(row[0].text));
  }
  return names;
}

}  // namespace penstock::migrations
