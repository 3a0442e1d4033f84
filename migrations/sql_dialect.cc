#include "migrations/sql_dialect.h"

#include <array>

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
constexpr size_t kColumnCount = 10;

std::array<Value, kColumnCount> Values(const HistoryRow& row) {
  // Both sides of the epoch: nanoseconds are never negative.
  int64_t seconds = row.applied_at_us / kMicrosInSecond;
  int64_t micros = row.applied_at_us % kMicrosInSecond;
  if (micros < 0) {
    --seconds;
    micros += kMicrosInSecond;
  }
  return {Value::Integer(row.id),
          Value::Integer(row.version),
          Value::Text(row.name),
          Value::Text(row.checksum),
          Value::Text(Name(row.direction)),
          Value::Text(Name(row.state)),
          Value::Integer(row.statement),
          Value::Text(row.note),
          Value::Timestamp(seconds, static_cast<int32_t>(micros * 1000)),
          Value::Integer(row.duration_ms)};
}

bool ReadState(std::string_view text, RowState* state) {
  for (const RowState known :
       {RowState::kDone, RowState::kRunning, RowState::kFailed, RowState::kResume}) {
    *state = known;
    if (text == Name(known)) return true;
  }
  return false;
}

absl::StatusOr<HistoryRow> FromCells(const std::vector<Cell>& cells, const std::string& table) {
  HistoryRow row;
  row.id = cells[0].integer;
  row.version = cells[1].integer;
  row.name = cells[2].text;
  row.checksum = cells[3].text;
  row.direction = cells[4].text == Name(Direction::kDown) ? Direction::kDown : Direction::kUp;
  row.statement = cells[6].integer;
  row.note = cells[7].text;
  row.applied_at_us = cells[8].integer;
  row.duration_ms = cells[9].integer;
  if (Name(row.direction) == cells[4].text && ReadState(cells[5].text, &row.state)) return row;
  return MakeErrorWithHint(
      Reason::kDataException,
      fmt::format("row {} of the migration history {} has the direction '{}' and the state '{}', "
                  "which are unknown",
                  row.id, table, cells[4].text, cells[5].text),
      "a newer version may have written it; otherwise give the history a table of its own "
      "(migrations_table)");
}

}  // namespace

absl::Status SqlDialect::CreateHistory(Session* session) {
  // IF NOT EXISTS alone would want the right to create tables.
  absl::StatusOr<bool> exists = HistoryExists(session);
  if (!exists.ok() || *exists) return exists.status();
  absl::StatusOr<std::string> name = QualifiedTable(session);
  if (!name.ok()) return name.status();
  return session->Run(fmt::format(
      "CREATE TABLE {} (id BIGINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL, "
      "name TEXT NOT NULL, checksum TEXT NOT NULL, direction TEXT NOT NULL, state TEXT NOT NULL, "
      "statement BIGINT NOT NULL, note TEXT NOT NULL, applied_at {} NOT NULL, "
      "duration_ms BIGINT NOT NULL)",
      *name, timestamp_type()));
}

absl::StatusOr<std::vector<HistoryRow>> SqlDialect::ReadHistory(Session* session) {
  absl::StatusOr<bool> exists = HistoryExists(session);
  if (!exists.ok()) return exists.status();
  std::vector<HistoryRow> rows;
  if (!*exists) return rows;
  absl::StatusOr<std::string> name = QualifiedTable(session);
  if (!name.ok()) return name.status();
  absl::StatusOr<Table> table =
      session->Query(fmt::format("SELECT {} FROM {} ORDER BY id", kColumns, *name));
  if (!table.ok()) return table.status();
  for (const std::vector<Cell>& cells : *table) {
    absl::StatusOr<HistoryRow> row = FromCells(cells, *name);
    if (!row.ok()) return row.status();
    rows.push_back(*std::move(row));
  }
  return rows;
}

absl::Status SqlDialect::InsertRow(Session* session, const HistoryRow& row) {
  absl::StatusOr<std::string> name = QualifiedTable(session);
  if (!name.ok()) return name.status();
  return session->Run(
      fmt::format("INSERT INTO {} ({}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", *name,
                  kColumns),
      Values(row));
}

absl::Status SqlDialect::UpdateRow(Session* session, const HistoryRow& row) {
  absl::StatusOr<std::string> name = QualifiedTable(session);
  if (!name.ok()) return name.status();
  return session->Run(
      fmt::format("UPDATE {} SET version = $2, name = $3, checksum = $4, direction = $5, "
                  "state = $6, statement = $7, note = $8, applied_at = $9, duration_ms = $10 "
                  "WHERE id = $1",
                  *name),
      Values(row));
}

absl::StatusOr<std::unique_ptr<Dialect>> MakeDialect(std::string_view driver,
                                                     const std::string& table) {
  if (driver == "sqlite") return MakeSqliteDialect(table);
  if (driver == "postgres") return MakePostgresDialect(table);
  return MakeErrorWithHint(Reason::kUnsupported,
                           fmt::format("the driver {} has no migrations", driver),
                           "Ping tells what a database can do");
}

}  // namespace penstock::migrations
