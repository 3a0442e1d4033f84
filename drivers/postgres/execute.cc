// One statement's way through the server.
//
// It is prepared (or found prepared), sent with its values and a sync, and received up to that
// sync. Then the session is checked. A statement may be run again in two cases, in which the
// failed attempt has changed nothing: what was prepared for an earlier run does not suit the
// tables and types of now, or a cancel has hit the statement that was meant for another one.
// In a client's transaction neither happens once the server has seen the statement: the
// failure has aborted the transaction, and only the client can run all of it again.
//
// A result that does not fit into the first batch is left to a cursor, to which the watch and
// the command move. Until the cursor is gone nothing else is sent.
#include <algorithm>
#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include "drivers/api/error.h"
#include "drivers/api/only_read.h"
#include "drivers/postgres/cursor.h"
#include "drivers/postgres/parameter_types.h"
#include "drivers/postgres/statement_runner.h"
#include "text/string_views.h"

namespace penstock::postgres {
namespace {

using driver::Reason;
using driver::StatementRun;

driver::TimePoint Now() { return std::chrono::steady_clock::now(); }

// What cannot run in a transaction (VACUUM) is refused behind its settings, in words about a
// pipeline of which the caller knows nothing.
absl::Status ExplainSettings(const absl::Status& status) {
  driver::ErrorInfo info = driver::GetErrorInfo(status);
  if (info.sqlstate != "25001") return status;
  info.hint =
      "a statement with settings of the session runs in a transaction; run it without them, for "
      "example in a migration";
  return driver::MakeError(info.reason, ToStd(status.message()), info);
}

}  // namespace

void StatementRunner::Run(StatementRun* run, bool may_leave_cursor) {
  // Nothing is known of a statement that is not described.
  if (IsOnce(*run) && !transaction_->only_reads(*run)) {
    RunOnce(run);
    return;
  }
  if (NeedsOwn(*run)) {
    RunOwn(run, may_leave_cursor);
    return;
  }
  auto watch = std::make_unique<CommandWatch>(link_, run->deadline, run->cancellation);
  constexpr int kAttempts = 3;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    if (TryPrepared(run, may_leave_cursor, &watch) == Next::kDone) return;
  }
}

StatementRunner::Next StatementRunner::TryPrepared(StatementRun* run, bool may_leave_cursor,
                                                   std::unique_ptr<CommandWatch>* watch) {
  run->status = (*watch)->Interruption();
  if (!run->status.ok()) return Next::kDone;
  const bool many = !run->rows.empty();
  const std::vector<driver::Value> representatives =
      many ? Representatives(run->rows) : std::vector<driver::Value>();
  absl::StatusOr<Statement*> prepared =
      preparer_->Prepare(run->sql, many ? representatives : run->args, run->prepared, **watch);
  if (!prepared.ok()) {
    run->status = prepared.status();
    if (transaction_->open) run->status = session_->CheckTransaction(run->status);
    return RunsAgain(&run->status) ? Next::kAgain : Next::kDone;
  }
  Statement* statement = *prepared;
  run->status = CheckCaller(*run, *statement);
  if (run->status.ok()) run->status = session_->ForgetSequences(*statement, **watch);
  if (!run->status.ok()) return Next::kDone;
  const bool was_open = transaction_->open;
  run->summary = {};
  if (run->writer != nullptr) run->writer->Begin(statement->columns);
  const bool sent = many ? RunMany(run, statement, **watch)
                         : RunPrepared(run, statement, may_leave_cursor, watch);
  if (run->cursor != nullptr) return Next::kDone;
  session_->CheckSession(run, *statement);
  if (!was_open) session_->EndOwn();
  if (!was_open && !run->settings.empty()) run->status = ExplainSettings(run->status);
  if (RunsAgain(&run->status)) return Next::kAgain;
  if (!IsStale(*run, *statement, **watch)) return Next::kDone;
  preparer_->statements().Remove(statement);
  // Within a transaction what the server has refused is final.
  const bool final = !runner_->linked() || (transaction_->open && sent);
  return final ? Next::kDone : Next::kAgain;
}

bool StatementRunner::RunMany(StatementRun* run, Statement* statement, const CommandWatch& watch) {
  session_->ShowCaller(run->caller, watch);
  const bool could_go_on = !transaction_->open || !runner_->transaction_aborted();
  bulk_.RunRows(run, statement, watch);
  return transaction_->open && could_go_on && runner_->transaction_aborted();
}

bool StatementRunner::RunPrepared(StatementRun* run, Statement* statement, bool may_leave_cursor,
                                  std::unique_ptr<CommandWatch>* watch) {
  auto command = std::make_unique<PendingCommand>(watch->get());
  const driver::TimePoint began = Now();
  const bool renamed = session_->SendCaller(run->caller);
  const bool leads = !transaction_->open;
  // Its transaction is begun and ended in the same flight.
  const bool own = run->must_only_read && leads;
  run->status = (*watch)->Interruption();
  const bool sent = run->status.ok() && sender_->Send(run, *statement, run->args, leads);
  if (sent) link_->SendSync();
  if (sent && own) session_->SendEndOfOwn();
  if (renamed) session_->TakeCaller(command.get());
  if (!sent) return false;
  if (leads) run->status = runner_->FinishCommands(command.get(), StatementSender::Leading(*run));
  link_->RowByRow();
  const auto ending =
      receiver_->Receive(run, *statement, command.get(),
                         may_leave_cursor ? run->limits.max_bytes : ResultReceiver::kNoCursor);
  if (ending == ResultReceiver::Ending::kMore && may_leave_cursor) {
    statement->Note(Now() - began, run->limits.max_bytes);
    run->cursor = std::make_unique<Cursor>(runner_, receiver_, session_, *run, statement,
                                           std::move(*watch), std::move(command));
    return true;
  }
  if (ending == ResultReceiver::Ending::kMore) {
    receiver_->RefuseRest(run, *statement, command.get(), ResultReceiver::kNoCursor);
  }
  statement->Note(Now() - began, run->writer != nullptr ? run->writer->bytes() : 0);
  return true;
}

absl::Status StatementRunner::CheckCaller(const StatementRun& run,
                                          const Statement& statement) const {
  if (!transaction_->only_reads(run)) return absl::OkStatus();
  if (!statement.only_reads) {
    return driver::MayOnlyRead(
        "the statement is none of SELECT, VALUES, TABLE, SHOW, FETCH and EXPLAIN of these");
  }
  // FETCH and SHOW name no functions.
  const bool calls =
      statement.verb == Syntax::Verb::kSelect || statement.verb == Syntax::Verb::kExplain;
  if (calls && statement.effects.escapes) {
    return driver::MayOnlyRead("the statement calls a function that may do more than read");
  }
  return absl::OkStatus();
}

absl::StatusOr<Statement> StatementRunner::MakeOnce(const StatementRun& run) {
  absl::StatusOr<Statement> statement = preparer_->MakeOnce(run.sql, run.args);
  if (!statement.ok()) return statement;
  absl::Status encoded = sender_->Encode(run.args, *statement);
  if (!encoded.ok()) return encoded;
  return statement;
}

bool StatementRunner::SendOnce(const Statement& statement) {
  return statement.parameters.empty() ? link_->SendText(statement.sql)
                                      : sender_->SendEncoded(statement);
}

void StatementRunner::RunOnce(StatementRun* run) {
  const CommandWatch watch(link_, run->deadline, run->cancellation);
  run->status = watch.Interruption();
  if (!run->status.ok()) return;
  const absl::StatusOr<Statement> statement = MakeOnce(*run);
  if (!statement.ok()) {
    run->status = statement.status();
    return;
  }
  for (int attempt = 1; attempt <= CommandRunner::kMostCancels; ++attempt) {
    run->status = watch.Interruption();
    if (!run->status.ok()) return;
    run->summary = {};
    PendingCommand command(&watch);
    const bool sets = !transaction_->open && !run->settings.empty();
    if ((sets && !sender_->SendSettings(run->settings)) || !SendOnce(*statement)) {
      run->status = link_->BrokenError();
      return;
    }
    link_->SendSync();
    if (sets) run->status = runner_->FinishCommand(&command);
    link_->RowByRow();
    receiver_->Receive(run, *statement, &command, ResultReceiver::kNoCursor);
    session_->CheckSession(run, *statement);
    if (!RunsAgain(&run->status)) return;
  }
}

bool StatementRunner::RunsAgain(absl::Status* status) const {
  // What has a transaction of the driver's own is run again with it.
  if (transaction_->own || !runner_->HitByCancel(*status)) return false;
  if (!transaction_->open) return runner_->linked();
  *status = CancelledByChance(*status);
  return false;
}

StatementRunner::Staleness StatementRunner::StalenessAfter(const StatementRun& run,
                                                           const Statement& statement) const {
  if (run.status.ok() || statement.fresh) return Staleness::kNone;
  // On CockroachDB more than types can be out of date, and a text that was parsed with constants
  // in it may have other ones today.
  const bool parsed_long_ago = !statement.name.empty() && statement.effects.folds && run.prepared;
  const Staleness doubt =
      flavor_.cockroach || parsed_long_ago ? Staleness::kStale : Staleness::kDoubt;
  const driver::ErrorInfo info = driver::GetErrorInfo(run.status);
  // The driver's own: a value does not suit the type that a parameter had.
  if (info.sqlstate.empty()) {
    const bool unsuitable =
        info.reason == Reason::kInvalidParameter || info.reason == Reason::kDataException;
    return unsuitable ? doubt : Staleness::kNone;
  }
  // These are the classes of what depends on types, names and plans, and not on the data or the
  // backend's state. The server makes its plan anew whenever it has to, so that beside the types
  // of the parameters nothing about a value or a name is of earlier.
  const std::string_view its_class = std::string_view(info.sqlstate).substr(0, 2);
  if (its_class == "22" || its_class == "42") return doubt;
  constexpr std::array<std::string_view, 4> kStaleClasses = {"0A", "26", "3F", "XX"};
  const bool stale =
      std::find(kStaleClasses.begin(), kStaleClasses.end(), its_class) != kStaleClasses.end();
  return stale ? Staleness::kStale : Staleness::kNone;
}

bool StatementRunner::IsStale(const StatementRun& run, const Statement& statement,
                              const CommandWatch& watch) {
  const Staleness staleness = StalenessAfter(run, statement);
  if (staleness != Staleness::kDoubt || transaction_->open || !runner_->linked()) {
    return staleness != Staleness::kNone;
  }
  PendingCommand command(&watch);
  return !preparer_->SendDescribeAgain(statement) ||
         !preparer_->TakeDescribedAgain(statement, &command);
}

}  // namespace penstock::postgres
