// A statement that is run for many rows: all of them, or none.
#include <algorithm>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/postgres/bulk.h"
#include "drivers/postgres/connection.h"
#include "fmt/format.h"

namespace penstock::postgres {
namespace {

using driver::StatementRun;

// From so many on, arrays are worth one more prepared statement.
constexpr size_t kFewestForArrays = 8;
// So many that each costs next to nothing, few enough for little memory.
constexpr size_t kRowsAnArray = 2048;
// So many that a statement costs little beside them, and that its text stays small.
constexpr size_t kRowsAStatement = 256;
// libpq does not read the description of many more.
constexpr size_t kMostParameters = 4096;
// With the row that passes it still well within the server's 16 MiB for a message.
constexpr size_t kBytesAStatement = size_t{1} << 20;

}  // namespace

void Connection::RunRows(StatementRun* run, Statement* statement, const Watch& watch) {
  driver::RowWriter* writer = std::exchange(run->writer, nullptr);
  const auto fits = [&](const auto& row) { return row.size() == statement->parameters.size(); };
  const bool together = !(in_transaction_ && transaction_aborted()) &&
                        std::all_of(run->rows.begin(), run->rows.end(), fits);
  // If that fails the rows go one by one, to find out which one it is.
  if (!together || (!RunCopy(run, statement, watch) && !RunArrays(run, *statement, watch) &&
                    !RunSeveral(run, *statement, watch))) {
    RunRowByRow(run, statement, watch);
  }
  if (!run->status.ok()) run->summary = {};
  run->summary.rows_returned = 0;
  run->writer = writer;
}

bool Connection::RunArrays(StatementRun* run, const Statement& plain, const Watch& watch) {
  // CockroachDB's documentation promises nothing about rows made that way.
  if (flavor_.cockroach || run->rows.size() < kFewestForArrays) return false;
  const std::optional<std::string> form = BulkForm(run->sql);
  const std::vector<uint32_t> types = BulkTypes(plain.parameters);
  if (!form.has_value() || types.size() != plain.parameters.size()) return false;
  const std::vector<const Type*> element_types = plain.parameters;
  Statement* bulk = statements_.Find(*form, types);
  if (bulk == nullptr) {
    absl::StatusOr<Statement*> prepared =
        PrepareAs(*form, types, watch, /*prepared=*/true, /*may_fail=*/false);
    if (!prepared.ok()) return false;
    bulk = *prepared;
  }
  const bool guarded = in_transaction_;
  bool good = !guarded || link_->SendText("SAVEPOINT penstock_rows");
  for (size_t at = 0; good && at < run->rows.size(); at += kRowsAnArray) {
    const size_t count = std::min(kRowsAnArray, run->rows.size() - at);
    good = EncodeArrays(run->rows.subspan(at, count), element_types) &&
           link_->SendExecute(bulk->name, wire_values_) && link_->Pump();
  }
  return EndBulk(run, *bulk, watch, good);
}

bool Connection::EndBulk(StatementRun* run, const Statement& statement, const Watch& watch,
                         bool good) {
  const bool guarded = in_transaction_;
  // What cannot be sent must not leave what was: the segment is made to fail.
  const char* last = good ? "RELEASE SAVEPOINT penstock_rows" : "SELECT penstock_refused_row";
  if (guarded || !good) link_->SendText(last);
  link_->SendSync();
  Command command(&watch);
  Receive(run, statement, &command, kNoCursor);
  if (run->status.ok() || !linked() || !command.interruption.ok()) return true;
  // They may be there already.
  if (driver::GetErrorInfo(run->status).reason == driver::Reason::kCommitOutcomeUnknown)
    return true;
  if (guarded) {
    absl::Status undone = Control("ROLLBACK TO SAVEPOINT penstock_rows");
    if (undone.ok()) undone = Control("RELEASE SAVEPOINT penstock_rows");
    if (!undone.ok()) {
      run->status = undone;
      return true;
    }
  }
  run->status = absl::OkStatus();
  run->summary = {};
  return false;
}

// CockroachDB plans a statement for each row as much as one of many.
bool Connection::RunSeveral(StatementRun* run, const Statement& plain, const Watch& watch) {
  if (!flavor_.cockroach || run->rows.size() < kFewestForArrays) return false;
  const size_t columns = plain.parameters.size();
  if (columns == 0 || columns > kMostParameters / 2) return false;
  if (!SeveralForm(run->sql, 1).has_value()) return false;
  const size_t most = std::min(kRowsAStatement, kMostParameters / columns);
  bool good = !in_transaction_ || link_->SendText("SAVEPOINT penstock_rows");
  std::string sql;
  size_t rows_in_sql = 0;
  for (size_t at = 0; good && at < run->rows.size();) {
    const size_t count = EncodeSeveral(run->rows.subspan(at), plain, most);
    // All but the last are mostly of the same length.
    if (count != std::exchange(rows_in_sql, count)) sql = *SeveralForm(run->sql, count);
    good = count > 0 && link_->SendParsed(sql, wire_types_, wire_values_) && link_->Pump();
    at += count;
  }
  return EndBulk(run, plain, watch, good);
}

size_t Connection::EncodeSeveral(std::span<const std::vector<driver::Value>> rows,
                                 const Statement& plain, size_t most) {
  arena_.clear();
  parameters_.clear();
  wire_types_.clear();
  size_t bytes = 0;
  size_t count = 0;
  for (; count < std::min(most, rows.size()) && bytes < kBytesAStatement; ++count) {
    for (size_t i = 0; i < plain.parameters.size(); ++i) {
      wire_types_.push_back(plain.parameters[i]->oid);
      const absl::Status encoded =
          EncodeParameter(static_cast<int>(i) + 1, rows[count][i], *plain.parameters[i], &arena_,
                          &parameters_.emplace_back());
      if (!encoded.ok()) return 0;
      bytes += parameters_.back().size;
    }
  }
  FillWireValues();
  return count;
}

bool Connection::EncodeArrays(std::span<const std::vector<driver::Value>> rows,
                              const std::vector<const Type*>& types) {
  arena_.clear();
  parameters_.resize(types.size());
  for (size_t i = 0; i < types.size(); ++i) {
    if (!EncodeBulkColumn(i, rows, *types[i], &arena_, &parameters_[i]).ok()) return false;
  }
  FillWireValues();
  return true;
}

// All of them in one segment, which is one transaction.
void Connection::RunRowByRow(StatementRun* run, Statement* statement, const Watch& watch) {
  Command command(&watch);
  bool first = true;
  for (const std::vector<driver::Value>& row : run->rows) {
    if (!Send(run, statement, row)) break;
    if (std::exchange(first, false)) link_->RowByRow();
    // Takes the answers that are there already, so that neither side's buffers fill.
    if (!link_->Pump()) break;
  }
  const absl::Status refused = run->status;
  // The rows before a refused one must not stay: the segment is made to fail.
  if (!refused.ok()) link_->SendText("SELECT penstock_refused_row");
  link_->SendSync();
  run->status = absl::OkStatus();
  Receive(run, *statement, &command, kNoCursor);
  if (!refused.ok()) run->status = refused;
  if (!run->status.ok() && command.done < run->rows.size() && linked()) {
    run->status = driver::Annotate(run->status, fmt::format("row {}", command.done + 1));
  }
}

}  // namespace penstock::postgres
