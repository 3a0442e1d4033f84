// Takes the results of one statement, one after the other, and keeps apart what is known of its
// outcome from what is not.
//
// The server's own error undoes a statement, so that its outcome is known. When the link breaks
// before the sync was answered, or an error comes that is libpq's own, a statement that may have
// written outside a transaction may be committed: that is kCommitOutcomeUnknown. It is known
// all the same that nothing was done if the server has said before that it ends the session.
// An interrupted statement that has ended well before its cancel came counts as done, if all of
// its rows are here. The first error that was found stays in the run's status.
#include "drivers/postgres/result_receiver.h"

#include <array>
#include <string_view>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/api/only_read.h"
#include "drivers/postgres/cockroach_error.h"
#include "drivers/postgres/decode.h"
#include "drivers/postgres/scalar.h"
#include "fmt/format.h"
#include "text/string_views.h"

namespace penstock::postgres {
namespace {

using driver::MakeError;
using driver::MakeErrorWithHint;
using driver::Reason;
using driver::StatementRun;

bool Counts(std::string_view tag) {
  constexpr std::array<std::string_view, 4> kCounting = {"INSERT", "UPDATE", "DELETE", "MERGE"};
  for (const std::string_view verb : kCounting) {
    if (tag.starts_with(verb)) return true;
  }
  return false;
}

// A row that comes now is part of the answer.
bool KeepsRows(const StatementRun& run, const Statement& statement, const PendingCommand& command) {
  if (command.rows_dropped) return false;
  if (command.interruption.ok()) return true;
  // The cancel may come too late: what was done is then to be answered with its rows.
  constexpr size_t kMostKept = 2 * ResultReceiver::kNoCursor;
  return !statement.reads() && run.writer->bytes() < kMostKept;
}

absl::Status OtherRowsError() {
  return MakeErrorWithHint(Reason::kIo, "the rows have other columns than were described",
                           "run the statement again, which describes it anew");
}

absl::Status StalePlanError(const absl::Status& status) {
  return MakeError(Reason::kSerializationFailure,
                   "a table has changed since the statement was prepared",
                   {.sqlstate = driver::GetErrorInfo(status).sqlstate,
                    .hint = "run the transaction again, which prepares the statement anew"});
}

absl::Status ResultTooLarge() {
  return MakeErrorWithHint(
      Reason::kLimitExceeded,
      fmt::format("the result has more than {} MiB", ResultReceiver::kNoCursor >> 20),
      "read it with Query, which streams");
}

}  // namespace

ResultReceiver::Ending ResultReceiver::Receive(StatementRun* run, const Statement& statement,
                                               PendingCommand* command, size_t max_bytes) {
  Link& link = runner_->link();
  run->read_only = statement.reads() || transaction_->only_reads(*run);
  for (;;) {
    const bool over = link.session_ended();
    absl::StatusOr<Result> result = runner_->Next(command);
    if (!result.ok()) {
      if (run->status.ok()) run->status = WhenLost(result.status(), statement, over);
      return Ending::kDone;
    }
    // They come before the result that they belong to.
    if (link.has_notices()) link.TakeNotices(&run->summary);
    switch (result->kind()) {
      case Result::Kind::kRow:
        if (TakeRow(*result, statement, run, command) && run->writer->bytes() >= max_bytes &&
            command->interruption.ok()) {
          return Ending::kMore;
        }
        break;
      case Result::Kind::kDone:
        if (!TakeDone(*result, run, command)) return Ending::kDone;
        break;
      case Result::Kind::kError: TakeError(*result, statement, over, run, *command); break;
      case Result::Kind::kCopy:
        run->status =
            MakeError(Reason::kUnsupported, "COPY from or to the client is not supported");
        link.Break();
        return Ending::kDone;
      case Result::Kind::kSkipped: command->skipped = true; break;
      case Result::Kind::kEnd:
        if (command->ends_with_sync) break;
        return Ended(run, statement, *command);
      case Result::Kind::kSync:
        runner_->SettleCancel(*command);
        return Ended(run, statement, *command);
    }
  }
}

void ResultReceiver::RefuseRest(StatementRun* run, const Statement& statement,
                                PendingCommand* command, size_t max_bytes) {
  runner_->Interrupt(command, ResultTooLarge());
  Receive(run, statement, command, max_bytes);
}

bool ResultReceiver::TakeRow(const Result& row, const Statement& statement, StatementRun* run,
                             PendingCommand* command) {
  ++run->summary.rows_returned;
  if (run->writer == nullptr) return false;
  if (!KeepsRows(*run, statement, *command)) {
    command->rows_dropped = true;
    return false;
  }
  absl::Status written = WriteRow(row, statement, run->writer);
  if (written.ok()) return true;
  command->rows_dropped = true;
  runner_->Interrupt(command, std::move(written));
  return false;
}

bool ResultReceiver::TakeDone(const Result& done, StatementRun* run, PendingCommand* command) {
  if (run->writer != nullptr && done.rows() > 0) {
    // Never a short result: these were to come one by one.
    runner_->link().Break();
    run->status = MakeError(Reason::kIo, "the rows have an unexpected form");
    return false;
  }
  ++command->done;
  if (Counts(done.tag())) run->summary.rows_affected += done.rows_affected();
  return true;
}

void ResultReceiver::TakeError(const Result& error, const Statement& statement, bool over,
                               StatementRun* run, const PendingCommand& command) {
  if (!run->status.ok()) return;
  run->status = runner_->Failure(error, command, statement.sql, run);
  const ServerError fields = error.error();
  const bool stale = IsStalePlan(fields) || (flavor_.cockroach && IsOtherEnumVersion(fields));
  if (transaction_->clients() && stale) run->status = StalePlanError(run->status);
  if (transaction_->only_reads(*run)) run->status = driver::AsMayOnlyRead(run->status);
  if (flavor_.cockroach && !transaction_->open && !statement.reads() &&
      MayHaveCommitted(fields.sqlstate)) {
    run->status = OutcomeUnknown(run->status);
  }
  // The server's error undoes the statement. Not so libpq's own, which has no SQLSTATE, nor one
  // that comes when the statement has ended, which may be the commit's.
  if (fields.sqlstate.empty() || command.done > 0) {
    run->status = WhenLost(run->status, statement, over);
  }
}

absl::Status ResultReceiver::WriteRow(const Result& row, const Statement& statement,
                                      driver::RowWriter* writer) {
  const auto columns = static_cast<int>(statement.column_types.size());
  if (row.columns() != columns) return OtherRowsError();
  for (int i = 0; i < columns; ++i) {
    absl::Status written = WriteValueOf(row, i, statement, writer);
    if (!written.ok()) return written;
  }
  writer->EndRow();
  return absl::OkStatus();
}

absl::Status ResultReceiver::WriteValueOf(const Result& row, int column, const Statement& statement,
                                          driver::RowWriter* writer) {
  const auto index = static_cast<size_t>(column);
  const Type& type = *statement.column_types[index];
  if (row.column_type(column) != type.oid) return OtherRowsError();
  const std::string_view value = row.value(column);
  // Most values are not empty, and then not NULL either: that saves a call.
  if (value.empty() && row.null(column)) {
    writer->Null();
    return absl::OkStatus();
  }
  if (ContentBytes(type, value) > options_.max_value_bytes) {
    return MakeErrorWithHint(
        Reason::kLimitExceeded,
        fmt::format("a value of column '{}' has more than {} bytes",
                    (*statement.columns)[index].name, options_.max_value_bytes),
        "raise max_value_bytes of the database, or read the value in parts");
  }
  return WriteValue(type, value, writer);
}

ResultReceiver::Ending ResultReceiver::Ended(StatementRun* run, const Statement& statement,
                                             const PendingCommand& command) const {
  // An interrupted statement may have ended well all the same, if all is here.
  if (!run->status.ok() || command.interruption.ok()) return Ending::kDone;
  if (command.done > 0 && !command.rows_dropped) return Ending::kDone;
  run->status = command.interruption;
  if (command.done > 0 && !statement.reads() && !transaction_->open) {
    const std::string_view why = ToStd(command.interruption.message());
    run->status = MakeErrorWithHint(
        Reason::kCommitOutcomeUnknown,
        fmt::format("the statement was executed, but not all of its rows were received: {}", why),
        "do not run it again; read the data");
  }
  return Ending::kDone;
}

absl::Status ResultReceiver::WhenLost(const absl::Status& status, const Statement& statement,
                                      bool over) const {
  // The commit is what the sync makes of the statement.
  const bool may_commit = !transaction_->open && !statement.reads() && !over;
  const bool lost = driver::GetErrorInfo(status).reason == Reason::kConnectionLost;
  return may_commit && lost ? runner_->OutcomeUnknown() : status;
}

}  // namespace penstock::postgres
