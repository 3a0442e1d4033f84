// A statement that is run for many rows: all of them, or none.
#include <algorithm>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/postgres/bulk.h"
#include "drivers/postgres/bulk_insert.h"
#include "fmt/format.h"

namespace penstock::postgres {
namespace {

using driver::StatementRun;

// So many rows are worth one more prepared statement.
constexpr size_t kFewestForArrays = 8;
// So many that each costs next to nothing, few enough for little memory.
constexpr size_t kRowsAnArray = 2048;
// So many that a statement costs little beside them, and that its text stays small.
constexpr size_t kRowsAStatement = 256;
// libpq does not read the description of many more.
constexpr size_t kMostParameters = 4096;

}  // namespace

void BulkInsert::RunRows(StatementRun* run, Statement* statement, const CommandWatch& watch) {
  driver::RowWriter* writer = std::exchange(run->writer, nullptr);
  const auto fits = [&](const auto& row) { return row.size() == statement->parameters.size(); };
  const bool together = !(transaction_->open && runner_->transaction_aborted()) &&
                        std::all_of(run->rows.begin(), run->rows.end(), fits);
  // If that fails the rows go one by one, to find out which one it is.
  if (!together || (!RunCopy(run, statement, watch) && !RunArrays(run, *statement, watch) &&
                    !RunSeveral(run, *statement, watch))) {
    RunRowByRow(run, *statement, watch);
  }
  if (!run->status.ok()) run->summary = {};
  run->summary.rows_returned = 0;
  run->writer = writer;
}

bool BulkInsert::RunArrays(StatementRun* run, const Statement& plain, const CommandWatch& watch) {
  // CockroachDB's documentation promises nothing about rows made that way.
  if (flavor_.cockroach || run->rows.size() < kFewestForArrays) return false;
  const std::optional<std::string> form = BulkForm(run->sql);
  const std::vector<uint32_t> types = BulkTypes(plain.parameters);
  if (!form.has_value() || types.size() != plain.parameters.size()) return false;
  const std::vector<const Type*> element_types = plain.parameters;
  Statement* bulk = preparer_->statements().Find(*form, types);
  if (bulk == nullptr) {
    absl::StatusOr<Statement*> prepared =
        preparer_->PrepareAs(*form, types, watch, /*prepared=*/true, /*may_fail=*/false);
    if (!prepared.ok()) return false;
    bulk = *prepared;
  }
  const bool guarded = transaction_->open;
  bool good =
      guarded ? link_->SendText("SAVEPOINT penstock_rows") : sender_->SendSettings(run->settings);
  for (size_t at = 0; good && at < run->rows.size(); at += kRowsAnArray) {
    const size_t count = std::min(kRowsAnArray, run->rows.size() - at);
    good = sender_->SendArrays(bulk->name, run->rows.subspan(at, count), element_types) &&
           link_->Pump();
  }
  return EndBulk(run, *bulk, watch, good);
}

bool BulkInsert::EndBulk(StatementRun* run, const Statement& statement, const CommandWatch& watch,
                         bool good) {
  const bool guarded = transaction_->open;
  // If a row cannot be sent, those before it must not stay: the segment is made to fail.
  const char* last = good ? "RELEASE SAVEPOINT penstock_rows" : "SELECT penstock_refused_row";
  if (guarded || !good) link_->SendText(last);
  link_->SendSync();
  PendingCommand command(&watch);
  if (!guarded && !run->settings.empty()) run->status = runner_->FinishCommand(&command);
  receiver_->Receive(run, statement, &command, ResultReceiver::kNoCursor);
  if (run->status.ok() || !runner_->linked() || !command.interruption.ok()) return true;
  // They may be there already.
  if (driver::GetErrorInfo(run->status).reason == driver::Reason::kCommitOutcomeUnknown)
    return true;
  if (guarded) {
    run->status = UndoSavepoint();
    if (!run->status.ok()) return true;
  }
  run->status = absl::OkStatus();
  run->summary = {};
  return false;
}

absl::Status BulkInsert::UndoSavepoint() {
  absl::Status undone = runner_->Control("ROLLBACK TO SAVEPOINT penstock_rows");
  return undone.ok() ? runner_->Control("RELEASE SAVEPOINT penstock_rows") : undone;
}

// CockroachDB's documents promise nothing about arrays, and it plans a statement for each row as
// much as one of many.
bool BulkInsert::RunSeveral(StatementRun* run, const Statement& plain, const CommandWatch& watch) {
  if (!flavor_.cockroach || run->rows.size() < kFewestForArrays) return false;
  const size_t columns = plain.parameters.size();
  if (columns == 0 || columns > kMostParameters / 2) return false;
  if (!SeveralForm(run->sql, 1).has_value()) return false;
  const size_t most = std::min(kRowsAStatement, kMostParameters / columns);
  bool good = !transaction_->open || link_->SendText("SAVEPOINT penstock_rows");
  std::string sql;
  size_t rows_in_sql = 0;
  for (size_t at = 0; good && at < run->rows.size();) {
    const size_t count = sender_->EncodeSeveral(run->rows.subspan(at), plain.parameters, most);
    // All but the last are mostly of the same length.
    if (count != std::exchange(rows_in_sql, count)) sql = *SeveralForm(run->sql, count);
    good = count > 0 && sender_->SendSeveral(sql) && link_->Pump();
    at += count;
  }
  return EndBulk(run, plain, watch, good);
}

// All of them in one segment, which is one transaction.
void BulkInsert::RunRowByRow(StatementRun* run, const Statement& statement,
                             const CommandWatch& watch) {
  PendingCommand command(&watch);
  const bool sets = !transaction_->open && !run->settings.empty();
  if (sets) sender_->SendSettings(run->settings);
  // Behind the settings the rows of the first one come at once, and are dropped like all others.
  bool first = !sets;
  for (const std::vector<driver::Value>& row : run->rows) {
    if (!sender_->Send(run, statement, row)) break;
    if (std::exchange(first, false)) link_->RowByRow();
    // Takes the answers that are there already, so that neither side's buffers fill.
    if (!link_->Pump()) break;
  }
  const absl::Status refused = run->status;
  // The rows before a refused one must not stay: the segment is made to fail.
  if (!refused.ok()) link_->SendText("SELECT penstock_refused_row");
  link_->SendSync();
  run->status = sets ? runner_->FinishCommand(&command) : absl::OkStatus();
  const bool set = run->status.ok();
  receiver_->Receive(run, statement, &command, ResultReceiver::kNoCursor);
  if (!refused.ok()) run->status = refused;
  if (!run->status.ok() && set && command.done < run->rows.size() && runner_->linked()) {
    run->status = driver::Annotate(run->status, fmt::format("row {}", command.done + 1));
  }
}

}  // namespace penstock::postgres
