#include "drivers/postgres/session_keeper.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/postgres/session_settings.h"
#include "fmt/format.h"
#include "text/string_views.h"

namespace penstock::postgres {

namespace {

using driver::MakeErrorWithHint;
using driver::Reason;
using driver::StatementRun;

// So much later than the daemon, which knows more precisely and says it better.
constexpr auto kStatementTimeoutSlack = std::chrono::seconds(5);

}  // namespace

absl::Status SessionKeeper::Begin(const driver::Deadline& deadline) {
  absl::Status begun = flavor_.cockroach ? BeginCockroach(deadline) : absl::OkStatus();
  if (begun.ok()) begun = Settle(deadline);
  return begun.ok() ? LimitStatements(deadline) : begun;
}

absl::Status SessionKeeper::Settle(const driver::Deadline& deadline) {
  missing_settings_ = MissingSettings(options_.time_zone,
                                      [this](const char* name) { return link_->setting(name); });
  if (missing_settings_.empty()) return absl::OkStatus();
  return runner_->Control(missing_settings_, CommandWatch(link_, deadline, nullptr));
}

// A shorter limit, of the role's or of the database's, is left as it is.
absl::Status SessionKeeper::LimitStatements(const driver::Deadline& deadline) {
  if (options_.query_timeout.count() == 0) return absl::OkStatus();
  const int64_t limit = (options_.query_timeout + kStatementTimeoutSlack).count();
  // The server's own greatest.
  if (limit > std::numeric_limits<int32_t>::max()) return absl::OkStatus();
  const CommandWatch watch(link_, deadline, nullptr);
  PendingCommand command(&watch);
  // The words are those that both servers have.
  const bool sent =
      link_->SendText(fmt::format("SELECT pg_catalog.set_config(name, '{0}', false) FROM "
                                  "pg_catalog.pg_settings WHERE CASE name WHEN 'statement_timeout' "
                                  "THEN setting::bigint NOT BETWEEN 1 AND {0} END",
                                  limit)) &&
      link_->SendSync();
  if (!sent) return link_->BrokenError();
  const absl::Status limited = runner_->FinishSegment(&command, [&](const Result& result) {
    if (result.rows() == 1) statement_timeout_ = fmt::format("SET statement_timeout = {}", limit);
    return true;
  });
  // A CockroachDB whose catalogue does not tell serves without the limit.
  return flavor_.cockroach && runner_->linked() && command.interruption.ok() ? absl::OkStatus()
                                                                             : limited;
}

bool SessionKeeper::SendCaller(std::string_view caller) {
  // In a transaction it would be undone with it.
  if (caller == caller_ || transaction_->open) return false;
  caller_ = caller;
  std::string set = "RESET application_name";
  if (!caller.empty()) {
    set = "SET application_name = '";
    for (const char c : caller) {
      if (c == '\'') set += c;
      // Which has a meaning of its own where standard_conforming_strings is off.
      set += c == '\\' ? '/' : c;
    }
    set += '\'';
  }
  link_->SendText(set);
  link_->SendSync();
  return true;
}

void SessionKeeper::ShowCaller(std::string_view caller, const CommandWatch& watch) {
  if (!SendCaller(caller)) return;
  PendingCommand command(&watch);
  TakeCaller(&command);
}

void SessionKeeper::TakeCaller(PendingCommand* command) {
  // A cancel may have hit it: then it is unlike any caller, and set the next time.
  if (!runner_->FinishSegment(command).ok()) caller_ = "\n";
}

absl::Status SessionKeeper::ForgetSequences(const Statement& statement, const CommandWatch& watch) {
  if (!sequences_used_ || !statement.effects.reads_sequences || transaction_->open || keep_) {
    return absl::OkStatus();
  }
  sequences_used_ = false;
  return runner_->Control("DISCARD SEQUENCES", watch);
}

int SessionKeeper::SendForgetSequences() {
  if (!sequences_used_ || keep_) return 0;
  sequences_used_ = false;
  return runner_->SendAhead("DISCARD SEQUENCES");
}

void SessionKeeper::NoteSequences(const Statement& statement) {
  sequences_used_ = sequences_used_ || statement.effects.writes;
}

void SessionKeeper::ChangeSession(const Statement& statement) {
  changed_ = true;
  if (!statement.keeps_meaning && (transaction_->open || keep_))
    preparer_->statements().EnterScope();
}

void SessionKeeper::CleanUp() {
  if (runner_->linked() && options_.always_reset) changed_ = true;
  // Within a transaction it is the same client's still.
  if (!changed_ || keep_ || transaction_->open || !runner_->linked()) return;
  changed_ = false;
  sequences_used_ = false;
  caller_.clear();
  preparer_->statements().LeaveScopes();
  // The next caller must not meet a session that could not be cleaned.
  if (!(flavor_.cockroach ? CleanCockroach() : CleanPostgres())) link_->Break();
}

bool SessionKeeper::CleanPostgres() {
  // DISCARD ALL without what it does to prepared statements, in one round trip. Those that
  // are the driver's are not made by SQL, and nobody else can make such; if each of them is
  // there still, and none of another kind, nobody has touched them.
  constexpr std::array kSteps = {
      "CLOSE ALL",
      "SET SESSION AUTHORIZATION DEFAULT",
      "RESET ALL",
      "UNLISTEN *",
      "SELECT pg_catalog.pg_advisory_unlock_all()",
      "DISCARD TEMP",
      "DISCARD SEQUENCES",
      "SELECT pg_catalog.count(*) FILTER (WHERE NOT from_sql), pg_catalog.count(*) FILTER (WHERE "
      "from_sql) FROM pg_catalog.pg_prepared_statements WHERE name <> ''"};
  bool sent = true;
  for (const char* step : kSteps) sent = sent && link_->SendText(step);
  if (!missing_settings_.empty()) sent = sent && link_->SendText(missing_settings_);
  if (!statement_timeout_.empty()) sent = sent && link_->SendText(statement_timeout_);
  const driver::Deadline limit{.at = std::chrono::steady_clock::now() + options_.cancel_grace,
                               .reason = Reason::kQueryTimeout};
  const CommandWatch watch(link_, limit, nullptr);
  return sent && link_->SendSync() && TakeCleaned(watch);
}

bool SessionKeeper::TakeCleaned(const CommandWatch& watch) {
  PendingCommand command(&watch);
  bool all_there = false;
  const absl::Status cleaned = runner_->FinishSegment(&command, [&](const Result& result) {
    if (result.kind() != Result::Kind::kRow || result.columns() != 2) return true;
    all_there = result.value(0) == std::to_string(preparer_->statements().names()) &&
                result.value(1) == "0";
    return true;
  });
  if (!cleaned.ok() || all_there) return cleaned.ok();
  preparer_->statements().Clear();
  return runner_->Control("DEALLOCATE ALL", watch).ok();
}

void SessionKeeper::RestoreEncoding(StatementRun* run) {
  run->status = MakeErrorWithHint(
      Reason::kUnsupported,
      "the statement has changed client_encoding, so its answer cannot be read",
      "keep client_encoding at UTF8; convert_to gives a text's bytes in another encoding");
  changed_ = true;
  // Within a failed transaction it cannot be set, and comes back with the rollback, which follows
  // the driver's own transaction.
  if (link_->transaction() == Link::Transaction::kFailed || transaction_->own) return;
  if (!runner_->Control("SET client_encoding = 'UTF8'").ok() || !link_->speaks_utf8())
    link_->Break();
}

void SessionKeeper::CheckSession(StatementRun* run, const Statement& statement) {
  if (!runner_->linked()) return;
  NoteSequences(statement);
  if (statement.forgets_prepared) preparer_->statements().Clear();
  if (statement.effects.changes_session) ChangeSession(statement);
  // The part of a change that has not failed is there.
  if (run->status.ok() || driver::GetErrorInfo(run->status).reason == Reason::kSchemaChangeFailed) {
    NoteDefinitions(statement);
  }
  if (!link_->speaks_utf8()) RestoreEncoding(run);
  if (transaction_->clients()) {
    run->status = CheckTransaction(run->status);
    return;
  }
  const bool open = link_->transaction() != Link::Transaction::kNone;
  if (open == transaction_->open) return;
  run->status = MakeErrorWithHint(
      Reason::kTransactionControl, "the statement has begun or ended a transaction",
      "use the Transaction call, which holds a connection for the transaction");
  if (open) runner_->Control("ROLLBACK").IgnoreError();
  transaction_->open = false;
  changed_ = true;
}

void SessionKeeper::NoteDefinitions(const Statement& statement) {
  using Verb = Syntax::Verb;
  if (statement.verb == Verb::kCode && transaction_->open) preparer_->statements().RemoveAll();
  const bool unknown = statement.verb == Verb::kUnknown && !statement.keeps_schema;
  if (statement.verb != Verb::kDefine && !unknown) return;
  preparer_->statements().RemoveAll();
  // Others see it when it is committed.
  transaction_->defines = transaction_->open;
  if (!transaction_->open) preparer_->ChangeDefinitions();
}

absl::Status SessionKeeper::TransactionGone() {
  return driver::MakeErrorWithHint(Reason::kCommitOutcomeUnknown,
                                   "the backend has ended the transaction by itself: its earlier "
                                   "statements may or may not be committed",
                                   "check the data before you try again");
}

absl::Status SessionKeeper::CheckTransaction(const absl::Status& status) {
  if (!transaction_->clients() || !runner_->linked()) return status;
  if (link_->transaction() != Link::Transaction::kNone) return status;
  transaction_->gone = true;
  changed_ = true;
  absl::Status gone = TransactionGone();
  if (status.ok()) return gone;
  return driver::Annotate(gone, ToStd(status.message()));
}

void SessionKeeper::SendEndOfOwn() {
  link_->SendText("ROLLBACK");
  link_->SendSync();
  transaction_->open = transaction_->own = transaction_->ending = true;
}

void SessionKeeper::EndOwn() {
  if (!transaction_->own) return;
  transaction_->own = transaction_->open = false;
  if (std::exchange(transaction_->ending, false) && runner_->linked()) {
    const CommandWatch watch(link_, CommandRunner::ControlLimit(), nullptr);
    PendingCommand command(&watch);
    // The statement's cancel may have hit it; then it is sent again.
    runner_->FinishSegment(&command).IgnoreError();
  }
  const bool open = runner_->linked() && link_->transaction() != Link::Transaction::kNone;
  if (open && !runner_->Control("ROLLBACK").ok()) link_->Break();
}

}  // namespace penstock::postgres
