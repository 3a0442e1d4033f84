// A client's transaction.
#include <chrono>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/postgres/cockroach_error.h"
#include "drivers/postgres/connection.h"
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
  if (options.read_only) text += " READ ONLY";
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
                           "a savepoint's name has a NUL character in it");
}

}  // namespace

absl::Status Connection::Begin(const driver::TransactionOptions& options) {
  absl::Status begun;
  for (int attempt = 1; attempt <= kMostCancels; ++attempt) {
    begun = TryBegin(options);
    if (!HitByCancel(begun)) break;
  }
  return begun;
}

absl::Status Connection::TryBegin(const driver::TransactionOptions& options) {
  const Watch watch(link_.get(), options.deadline, options.cancellation);
  absl::Status begun = watch.Interruption();
  if (begun.ok()) {
    Command command(&watch);
    Refresh();
    const bool renamed = SendCaller(options.caller);
    int ahead = SendDeallocations();
    if (sequences_used_ && !keep_session_) ahead += SendAhead("DISCARD SEQUENCES");
    const bool sent = link_->SendText(BeginText(options)) && link_->SendSync();
    if (renamed) TakeCaller(&command);
    TakeAhead(ahead, watch);
    sequences_used_ = sequences_used_ && keep_session_;
    begun = sent ? FinishSegment(&command) : link_->BrokenError();
  }
  in_transaction_ = linked() && link_->transaction() != Link::Transaction::kNone;
  if (!begun.ok() && in_transaction_) Rollback().IgnoreError();
  return begun;
}

void Connection::Run(driver::StatementRun& run) {
  statements_.Bury();
  if (transaction_gone_) {
    run.status = TransactionGone();
    return;
  }
  RunOne(&run, /*may_leave_cursor=*/true);
}

absl::Status Connection::TransactionGone() {
  return driver::MakeErrorWithHint(
      Reason::kCommitOutcomeUnknown,
      "the backend has ended the transaction by itself: what was done in it until then may or may "
      "not be committed",
      "look at the data before trying again");
}

absl::Status Connection::CheckTransaction(const absl::Status& status) {
  if (!in_transaction_ || stale_read_ || !linked()) return status;
  if (link_->transaction() != Link::Transaction::kNone) return status;
  transaction_gone_ = true;
  session_changed_ = true;
  absl::Status gone = TransactionGone();
  if (status.ok()) return gone;
  return driver::Annotate(gone, std::string_view(status.message().data(), status.message().size()));
}

absl::Status Connection::Step(const std::string& sql) {
  if (transaction_gone_) return TransactionGone();
  absl::Status done = CheckTransaction(Control(sql));
  return HitByCancel(done) ? CancelledByChance(done) : done;
}

absl::Status Connection::Commit() {
  if (absl::Status there = CheckTransaction(absl::OkStatus()); !there.ok()) {
    in_transaction_ = transaction_gone_ = false;
    if (std::exchange(defines_, false)) definitions_->Change();
    return there;
  }
  in_transaction_ = false;
  // Nothing is sent, so nothing is in doubt.
  if (!link_->Alive()) return link_->BrokenError();
  const bool failed = transaction_aborted();
  const Watch watch(link_.get(), ControlLimit(), nullptr);
  Command command(&watch);
  if (!link_->SendText("COMMIT") || !link_->SendSync()) return Committed(link_->BrokenError());
  return TakeCommit(&command, failed);
}

absl::Status Connection::TakeCommit(Command* command, bool failed) {
  absl::Status committed = FinishSegment(command, [&failed](const Result& result) {
    failed = failed || result.tag() == "ROLLBACK";
    return true;
  });
  // The server turns the commit of a failed transaction into a rollback.
  if (committed.ok() && failed) {
    if (std::exchange(defines_, false)) definitions_->Change();
    return driver::MakeError(Reason::kTransactionAborted,
                             "the transaction had failed and was rolled back");
  }
  return Committed(committed);
}

absl::Status Connection::Committed(const absl::Status& committed) {
  // Also when nobody knows whether it is committed.
  if (std::exchange(defines_, false)) definitions_->Change();
  if (committed.ok()) return committed;
  const Reason reason = driver::GetErrorInfo(committed).reason;
  const bool answered = linked() && reason != Reason::kConnectionLost;
  if (!answered) return OutcomeUnknown();
  if (flavor_.cockroach && MayHaveCommitted(driver::GetErrorInfo(committed).sqlstate)) {
    return OutcomeUnknown(committed);
  }
  return HitByCancel(committed) ? CancelledByChance(committed) : committed;
}

// The commit is in the statement's segment, so that it is not run if the statement fails.
absl::Status Connection::RunAndCommit(driver::StatementRun& run) {
  const bool gone = !CheckTransaction(absl::OkStatus()).ok();
  if (gone || !IsOnce(run) || !link_->Alive()) return driver::Connection::RunAndCommit(run);
  statements_.Bury();
  const Watch watch(link_.get(), run.deadline, run.cancellation);
  run.status = watch.Interruption();
  if (!run.status.ok()) return run.status;
  const absl::StatusOr<Statement> statement = MakeOnce(run);
  if (!statement.ok()) return run.status = statement.status();
  run.summary = {};
  Command command(&watch);
  command.ends_with_sync = false;
  if (SendOnce(*statement) && link_->SendText("COMMIT") && link_->SendSync()) {
    link_->RowByRow();
    Receive(&run, *statement, &command, kNoCursor);
  } else {
    run.status = link_->BrokenError();
  }
  // Without the server's word on the statement the commit may have been done as well.
  const bool refused = !driver::GetErrorInfo(run.status).sqlstate.empty();
  if (!linked() && !refused) {
    in_transaction_ = false;
    run.status = absl::OkStatus();
    return Committed(link_->BrokenError());
  }
  if (!run.status.ok()) {
    FinishSegment(&command).IgnoreError();
    CheckSession(&run, *statement);
    return run.status;
  }
  in_transaction_ = false;
  absl::Status committed = TakeCommit(&command, /*failed=*/false);
  CheckSession(&run, *statement);
  return committed;
}

absl::Status Connection::Rollback() {
  absl::Status there = CheckTransaction(absl::OkStatus());
  in_transaction_ = transaction_gone_ = false;
  if (!there.ok()) {
    if (std::exchange(defines_, false)) definitions_->Change();
    return there;
  }
  // What was described since is of what is not there any more.
  if (std::exchange(defines_, false)) statements_.RemoveAll();
  if (!linked()) return link_->BrokenError();
  return link_->transaction() == Link::Transaction::kNone ? absl::OkStatus() : Control("ROLLBACK");
}

absl::Status Connection::Savepoint(std::string_view name) {
  absl::Status checked = CheckName(name);
  return checked.ok() ? Step("SAVEPOINT " + Quoted(name)) : checked;
}

absl::Status Connection::RollbackTo(std::string_view name) {
  if (defines_) statements_.RemoveAll();
  absl::Status checked = CheckName(name);
  return checked.ok() ? Step("ROLLBACK TO SAVEPOINT " + Quoted(name)) : checked;
}

absl::Status Connection::Release(std::string_view name) {
  absl::Status checked = CheckName(name);
  if (!checked.ok()) return checked;
  absl::Status released = Step("RELEASE SAVEPOINT " + Quoted(name));
  // CockroachDB commits with this one, and COMMIT only says so.
  const bool commits = flavor_.cockroach && name == "cockroach_restart";
  return commits && !released.ok() && !linked() ? OutcomeUnknown() : released;
}

bool Connection::transaction_aborted() const {
  return link_->broken() || link_->transaction() == Link::Transaction::kFailed;
}

}  // namespace penstock::postgres
