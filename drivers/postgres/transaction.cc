#include "drivers/postgres/transaction.h"

#include <utility>

#include "drivers/api/error.h"
#include "drivers/postgres/cockroach_error.h"
#include "fmt/format.h"

namespace penstock::postgres {
namespace {

using driver::Reason;

std::string BeginText(const driver::TransactionOptions& options) {
  std::string text = "BEGIN";
  switch (options.isolation) {
    case driver::Isolation::kDefault: break;
    case driver::Isolation::kReadCommitted: text += " ISOLATION LEVEL READ COMMITTED"; break;
    case driver::Isolation::kRepeatableRead: text += " ISOLATION LEVEL REPEATABLE READ"; break;
    case driver::Isolation::kSerializable: text += " ISOLATION LEVEL SERIALIZABLE"; break;
  }
  if (options.read_only || options.must_only_read) text += " READ ONLY";
  return text;
}

// An identifier as SQL has it. It needs no connection, which may have gone. Callers have
// refused a NUL, which no quoting helps.
std::string Quoted(std::string_view identifier) {
  std::string quoted = "\"";
  for (const char c : identifier) {
    if (c == '"') quoted += c;
    quoted += c;
  }
  return quoted += '"';
}

absl::Status CheckName(std::string_view name) {
  if (name.find('\0') == std::string_view::npos) return absl::OkStatus();
  return driver::MakeError(Reason::kInvalidParameter,
                           "the savepoint name contains a NUL character");
}

}  // namespace

absl::Status TransactionSteps::Begin(const driver::TransactionOptions& options) {
  absl::Status begun;
  for (int attempt = 1; attempt <= CommandRunner::kMostCancels; ++attempt) {
    begun = TryBegin(options);
    if (!runner_->HitByCancel(begun)) break;
  }
  return begun;
}

absl::Status TransactionSteps::TryBegin(const driver::TransactionOptions& options) {
  const CommandWatch watch(link_, options.deadline, options.cancellation);
  absl::Status begun = watch.Interruption();
  if (begun.ok()) {
    PendingCommand command(&watch);
    preparer_->Refresh();
    const bool renamed = session_->SendCaller(options.caller);
    int ahead = preparer_->SendDeallocations();
    ahead += session_->SendForgetSequences();
    // With its first snapshot the server lets nobody make the transaction one that writes.
    const bool sent = link_->SendText(BeginText(options)) &&
                      sender_->SendSettings(options.settings) &&
                      (!options.must_only_read || link_->SendText("SELECT 1")) && link_->SendSync();
    if (renamed) session_->TakeCaller(&command);
    runner_->TakeAhead(ahead, watch);
    begun = sent ? runner_->FinishSegment(&command) : link_->BrokenError();
  }
  transaction_->open = runner_->linked() && link_->transaction() != Link::Transaction::kNone;
  transaction_->must_only_read = options.must_only_read;
  if (!begun.ok() && transaction_->open) Rollback().IgnoreError();
  return begun;
}

void TransactionSteps::Run(driver::StatementRun* run) {
  preparer_->statements().Bury();
  if (transaction_->gone) {
    run->status = SessionKeeper::TransactionGone();
    return;
  }
  statement_runner_->Run(run, /*may_leave_cursor=*/true);
}

absl::Status TransactionSteps::Step(const std::string& sql) {
  if (transaction_->gone) return SessionKeeper::TransactionGone();
  absl::Status done = session_->CheckTransaction(runner_->Control(sql));
  return runner_->HitByCancel(done) ? CancelledByChance(done) : done;
}

absl::Status TransactionSteps::Commit() {
  if (absl::Status there = session_->CheckTransaction(absl::OkStatus()); !there.ok()) {
    transaction_->open = transaction_->gone = false;
    PublishDefinitions();
    return there;
  }
  transaction_->open = false;
  // Nothing is sent, so nothing is in doubt.
  if (!link_->Alive()) return link_->BrokenError();
  const bool failed = runner_->transaction_aborted();
  const CommandWatch watch(link_, CommandRunner::ControlLimit(), nullptr);
  PendingCommand command(&watch);
  // What nobody had the right to do does not last, should a function have done it all the same.
  const char* const end = transaction_->must_only_read ? "ROLLBACK" : "COMMIT";
  if (!link_->SendText(end) || !link_->SendSync()) return Committed(link_->BrokenError());
  return TakeCommit(&command, failed);
}

absl::Status TransactionSteps::TakeCommit(PendingCommand* command, bool failed) {
  absl::Status committed = runner_->FinishSegment(command, [&](const Result& result) {
    failed = failed || (result.tag() == "ROLLBACK" && !transaction_->must_only_read);
    return true;
  });
  if (!committed.ok() || !failed) return Committed(committed);
  // The server turns the commit of a failed transaction into a rollback.
  PublishDefinitions();
  return driver::MakeError(Reason::kTransactionAborted,
                           "the transaction had failed and was rolled back");
}

absl::Status TransactionSteps::Committed(const absl::Status& committed) {
  // Also when nobody knows whether it is committed.
  PublishDefinitions();
  if (committed.ok()) return committed;
  const driver::ErrorInfo info = driver::GetErrorInfo(committed);
  const bool answered = runner_->linked() && info.reason != Reason::kConnectionLost;
  if (!answered && !transaction_->must_only_read) return runner_->OutcomeUnknown();
  if (flavor_.cockroach && MayHaveCommitted(info.sqlstate)) return OutcomeUnknown(committed);
  return runner_->HitByCancel(committed) ? CancelledByChance(committed) : committed;
}

absl::Status TransactionSteps::RunAndCommit(driver::StatementRun* run) {
  const bool gone = !session_->CheckTransaction(absl::OkStatus()).ok();
  const bool once = StatementRunner::IsOnce(*run) && !transaction_->must_only_read;
  if (!gone && once && link_->Alive()) return RunOnceAndCommit(run);
  Run(run);
  return run->status.ok() ? Commit() : run->status;
}

absl::Status TransactionSteps::RunOnceAndCommit(driver::StatementRun* run) {
  preparer_->statements().Bury();
  const CommandWatch watch(link_, run->deadline, run->cancellation);
  run->status = watch.Interruption();
  if (!run->status.ok()) return run->status;
  const absl::StatusOr<Statement> statement = statement_runner_->MakeOnce(*run);
  if (!statement.ok()) return run->status = statement.status();
  run->summary = {};
  PendingCommand command(&watch);
  command.ends_with_sync = false;
  if (statement_runner_->SendOnce(*statement) && link_->SendText("COMMIT") && link_->SendSync()) {
    link_->RowByRow();
    receiver_->Receive(run, *statement, &command, ResultReceiver::kNoCursor);
  } else {
    run->status = link_->BrokenError();
  }
  // Without the server's word on the statement the commit may have been done as well.
  const bool refused = !driver::GetErrorInfo(run->status).sqlstate.empty();
  if (!runner_->linked() && !refused) {
    transaction_->open = false;
    run->status = absl::OkStatus();
    return Committed(link_->BrokenError());
  }
  if (!run->status.ok()) {
    runner_->FinishSegment(&command).IgnoreError();
    session_->CheckSession(run, *statement);
    return run->status;
  }
  transaction_->open = false;
  absl::Status committed = TakeCommit(&command, /*failed=*/false);
  session_->CheckSession(run, *statement);
  return committed;
}

absl::Status TransactionSteps::Rollback() {
  absl::Status there = session_->CheckTransaction(absl::OkStatus());
  transaction_->open = transaction_->gone = false;
  if (!there.ok()) {
    PublishDefinitions();
    return there;
  }
  // Statements that were described since may be of tables that are not there any more.
  if (std::exchange(transaction_->defines, false)) preparer_->statements().RemoveAll();
  if (!runner_->linked()) return link_->BrokenError();
  return link_->transaction() == Link::Transaction::kNone ? absl::OkStatus()
                                                          : runner_->Control("ROLLBACK");
}

absl::Status TransactionSteps::Savepoint(std::string_view name) {
  absl::Status checked = CheckName(name);
  return checked.ok() ? Step("SAVEPOINT " + Quoted(name)) : checked;
}

absl::Status TransactionSteps::RollbackTo(std::string_view name) {
  if (transaction_->defines) preparer_->statements().RemoveAll();
  absl::Status checked = CheckName(name);
  return checked.ok() ? Step("ROLLBACK TO SAVEPOINT " + Quoted(name)) : checked;
}

absl::Status TransactionSteps::Release(std::string_view name) {
  absl::Status checked = CheckName(name);
  if (!checked.ok()) return checked;
  absl::Status released = Step("RELEASE SAVEPOINT " + Quoted(name));
  // CockroachDB commits with this one, and COMMIT only says so.
  const bool commits = flavor_.cockroach && name == "cockroach_restart";
  return commits && !released.ok() && !runner_->linked() ? runner_->OutcomeUnknown() : released;
}

void TransactionSteps::PublishDefinitions() {
  if (std::exchange(transaction_->defines, false)) preparer_->ChangeDefinitions();
}

}  // namespace penstock::postgres
