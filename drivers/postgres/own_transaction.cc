// Statements in a transaction of the driver's own: reads of what the database held some time ago,
// and rows of a caller who may only read. Other statements of such a caller have theirs begun and
// ended in the flight of the statement (execute.cc, batch.cc).
#include "drivers/api/error.h"
#include "drivers/postgres/statement_runner.h"
#include "fmt/format.h"

namespace penstock::postgres {
namespace {

using driver::Reason;
using driver::StatementRun;

// The transaction has the time, and not the statement: there AS OF SYSTEM TIME
// would have to be put behind its FROM, and the statement be prepared anew for
// each time. It may not write, whatever functions it calls.
std::string BeginText(std::chrono::microseconds staleness) {
  if (staleness.count() == 0) return kBeginReadOnly;
  const auto count = staleness.count();
  return fmt::format("BEGIN AS OF SYSTEM TIME '-{}.{:06}s', READ ONLY", count / 1'000'000,
                     count % 1'000'000);
}

absl::Status CheckReads(const Syntax& syntax) {
  using Verb = Syntax::Verb;
  if ((syntax.verb == Verb::kSelect && !syntax.writes) || syntax.verb == Verb::kShow ||
      syntax.verb == Verb::kEmpty || syntax.verb == Verb::kTransaction) {
    return absl::OkStatus();
  }
  return driver::MakeErrorWithHint(Reason::kInvalidParameter,
                                   "staleness was given to a statement that is not a SELECT",
                                   "omit staleness, or send a SELECT, VALUES, TABLE or SHOW");
}

// Prepared for a table that has changed since, or not prepared any more.
bool MayBeStalePlan(const absl::Status& status) {
  const std::string sqlstate = driver::GetErrorInfo(status).sqlstate;
  return sqlstate == "0A000" || sqlstate == "26000";
}

}  // namespace

bool StatementRunner::NeedsOwn(const StatementRun& run) const {
  if (run.staleness.count() != 0) return !transaction_->own;
  return run.must_only_read && !run.rows.empty() && !transaction_->open;
}

void StatementRunner::RunOwn(StatementRun* run, bool may_leave_cursor) {
  if (run->staleness.count() != 0) {
    run->status = CheckReads(preparer_->Read(run->sql));
    if (!run->status.ok()) return;
  }
  constexpr int kAttempts = 2;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    {
      const CommandWatch watch(link_, run->deadline, run->cancellation);
      run->status = watch.Interruption();
      if (run->status.ok()) {
        session_->ShowCaller(run->caller, watch);
        PendingCommand command(&watch);
        const bool sent = link_->SendText(BeginText(run->staleness)) &&
                          sender_->SendSettings(run->settings) && link_->SendSync();
        run->status = sent ? runner_->FinishSegment(&command) : link_->BrokenError();
      }
    }
    transaction_->open = transaction_->own =
        runner_->linked() && link_->transaction() != Link::Transaction::kNone;
    if (run->status.ok() && !transaction_->own) {
      run->status = driver::MakeError(Reason::kIo, "the server has begun no transaction");
    }
    if (run->status.ok()) Run(run, may_leave_cursor);
    if (run->cursor != nullptr) return;
    session_->EndOwn();
    if (!MayBeStalePlan(run->status) && !runner_->HitByCancel(run->status)) return;
  }
}

}  // namespace penstock::postgres
