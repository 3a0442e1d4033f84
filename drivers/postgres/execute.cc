// One statement's way through the server: sent, waited for, cancelled, received.
#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/postgres/cockroach_error.h"
#include "drivers/postgres/connection.h"
#include "drivers/postgres/cursor.h"
#include "drivers/postgres/decode.h"
#include "drivers/postgres/parameter_types.h"
#include "drivers/postgres/scalar.h"
#include "fmt/format.h"

namespace penstock::postgres {
namespace {

using driver::MakeError;
using driver::MakeErrorWithHint;
using driver::Reason;
using driver::StatementRun;

// What the driver's own statements may take: the server has nothing to compute.
constexpr auto kControlTimeout = std::chrono::seconds(30);

// So many results take far less time than anybody's limit.
constexpr size_t kResultsBetweenLooks = 64;

driver::TimePoint Now() { return std::chrono::steady_clock::now(); }

bool Counts(std::string_view tag) {
  constexpr std::array<std::string_view, 4> kCounting = {"INSERT", "UPDATE", "DELETE", "MERGE"};
  for (const std::string_view verb : kCounting) {
    if (tag.starts_with(verb)) return true;
  }
  return false;
}

bool Lost(const absl::Status& status) {
  return driver::GetErrorInfo(status).reason == Reason::kConnectionLost;
}

}  // namespace

Connection::Watch::Watch(Link* link, const driver::Deadline& deadline,
                         driver::Cancellation* cancellation)
    : link_(link), deadline_(deadline), cancellation_(cancellation) {
  if (cancellation_ != nullptr) cancellation_->Add(this);
}

Connection::Watch::~Watch() {
  if (cancellation_ != nullptr) cancellation_->Remove(this);
}

absl::Status Connection::Watch::Interruption() const {
  if (cancellation_ != nullptr && cancellation_->cancelled()) return cancellation_->status();
  return deadline_.passed(Now()) ? deadline_.Error() : absl::OkStatus();
}

absl::Status Connection::Command::Interruption() const {
  absl::Status why = watch->Interruption();
  if (others == nullptr) return why;
  for (const Watch* other : *others) why.Update(other->Interruption());
  return why;
}

absl::StatusOr<Result> Connection::Next(Command* command) {
  for (;;) {
    // The wake-up may have come while an earlier command was waited for.
    bool ending = !command->interruption.ok();
    if (!ending && command->watch->cancelled()) {
      Interrupt(command, command->watch->Interruption());
      ending = true;
    }
    // Where results are always there, nobody waits, and so nobody is told that time is up.
    if (++command->results % kResultsBetweenLooks == 0) {
      if (ending && Now() >= command->give_up) {
        link_->Break();
        return command->interruption;
      }
      Interrupt(command, command->Interruption());
      ending = !command->interruption.ok();
    }
    switch (link_->WaitForResult(ending ? std::min(command->give_up, command->cancel_again)
                                        : command->until)) {
      case Link::Wait::kReady: return link_->Take();
      case Link::Wait::kBroken: return ending ? command->interruption : link_->BrokenError();
      case Link::Wait::kTimeUp:
      case Link::Wait::kWoken:
        if (!ending) {
          Interrupt(command, command->Interruption());
        } else if (Now() >= command->give_up) {
          link_->Break();
          return command->interruption;
        } else if (Now() >= command->cancel_again) {
          link_->CancelAgain();
          command->cancel_again = Now() + (command->cancel_pause *= 2);
        }
        break;
    }
  }
}

void Connection::Interrupt(Command* command, absl::Status why) {
  // OK: it was somebody else on this connection who was cancelled.
  if (why.ok() || !command->interruption.ok()) return;
  command->interruption = std::move(why);
  command->give_up = Now() + options_.cancel_grace;
  // A cancel that overtakes its statement finds the server idle, and does nothing.
  command->cancel_again = Now() + command->cancel_pause;
  link_->Cancel();
}

absl::Status Connection::FinishSegment(Command* command, const Visit& visit) {
  absl::Status first;
  for (int ends = 0; ends < 2;) {
    absl::StatusOr<Result> result = Next(command);
    if (!result.ok()) return first.ok() ? result.status() : first;
    switch (result->sort()) {
      case Result::Sort::kSync:
        if (!link_->WaitForCancel(command->give_up)) link_->Break();
        // What the driver's own statements bring about is nobody's.
        link_->DropNotices();
        return first;
      case Result::Sort::kError:
        if (first.ok()) first = Failure(*result, *command);
        break;
      case Result::Sort::kEnd:
        ++ends;
        if (visit != nullptr) link_->RowByRow();
        continue;
      case Result::Sort::kCopy: link_->Break(); break;
      case Result::Sort::kRow:
      case Result::Sort::kDone:
        if (visit != nullptr && !visit(*result)) link_->Break();
        break;
      default: break;
    }
    ends = 0;
  }
  link_->Break();
  return first.ok() ? link_->BrokenError() : first;
}

absl::Status Connection::Failure(const Result& result, const Command& command,
                                 const StatementRun* run, const Statement* statement) const {
  ServerError error = result.error();
  if (error.sqlstate == kQueryCancelled && !command.interruption.ok()) {
    return command.interruption;
  }
  if (error.sqlstate.empty()) return link_->BrokenError();
  FindColumn(&error);
  if (run != nullptr) {
    const driver::ParameterValues values(run->args, run->rows);
    HideParameters(values, statement != nullptr ? statement->sql : run->sql, &error);
  } else if (error.sqlstate.starts_with("23")) {
    // Found at the commit, in what statements before have done: whose parameters the key
    // that it tells has come from is not known any more.
    error.detail.clear();
  }
  if (flavor_.cockroach) {
    const std::string_view own = run != nullptr ? run->sql : "";
    HideCockroachValues(statement != nullptr ? statement->sql : own, &error);
  }
  return Classify(error, flavor_.cockroach);
}

absl::Status Connection::Control(const std::string& sql, const Watch& watch) {
  Command command(&watch);
  if (!link_->SendText(sql) || !link_->SendSync()) return link_->BrokenError();
  return FinishSegment(&command);
}

driver::Deadline Connection::ControlLimit() {
  return {.at = Now() + kControlTimeout, .reason = Reason::kQueryTimeout};
}

absl::Status Connection::Control(const std::string& sql) {
  return Control(sql, Watch(link_.get(), ControlLimit(), nullptr));
}

bool Connection::Send(StatementRun* run, Statement* statement,
                      std::span<const driver::Value> args) {
  run->status = Encode(args, *statement);
  if (!run->status.ok()) return false;
  const bool kept = !statement->name.empty() && (run->prepared || !statement->effects.folds);
  if (kept ? link_->SendExecute(statement->name, wire_values_) : SendText(*statement)) return true;
  run->status = link_->BrokenError();
  return false;
}

bool Connection::SendText(const Statement& statement) {
  wire_types_.clear();
  for (const Type* type : statement.parameters) wire_types_.push_back(type->oid);
  return link_->SendParsed(statement.sql, wire_types_, wire_values_);
}

absl::Status Connection::Encode(std::span<const driver::Value> args, const Statement& statement) {
  if (args.size() != statement.parameters.size()) {
    return MakeError(Reason::kInvalidParameter,
                     fmt::format("the statement has {} parameters, {} values were given",
                                 statement.parameters.size(), args.size()));
  }
  arena_.clear();
  parameters_.resize(args.size());
  for (size_t i = 0; i < args.size(); ++i) {
    absl::Status encoded = EncodeParameter(static_cast<int>(i) + 1, args[i],
                                           *statement.parameters[i], &arena_, &parameters_[i]);
    if (!encoded.ok()) return encoded;
  }
  FillWireValues();
  return absl::OkStatus();
}

void Connection::FillWireValues() {
  // The arena has stopped growing, so that its bytes stay where they are.
  wire_values_.resize(parameters_.size());
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Parameter& parameter = parameters_[i];
    wire_values_[i] = {.data = parameter.null ? nullptr : parameter.bytes(arena_).data(),
                       .length = static_cast<int>(parameter.bytes(arena_).size()),
                       .binary = parameter.binary};
  }
}

absl::Status Connection::OtherRowsError() {
  return MakeErrorWithHint(Reason::kIo, "the rows are of other columns than were described",
                           "run the statement again: it is described anew");
}

absl::Status Connection::WriteRow(const Result& row, const Statement& statement,
                                  driver::RowWriter* writer) {
  const auto columns = static_cast<int>(statement.column_types.size());
  if (row.columns() != columns) return OtherRowsError();
  for (int i = 0; i < columns; ++i) {
    if (row.column_type(i) != statement.column_types[static_cast<size_t>(i)]->oid) {
      return OtherRowsError();
    }
    const std::string_view value = row.value(i);
    // Most values are not empty, and then not NULL either: that saves a call.
    if (value.empty() && row.null(i)) {
      writer->Null();
      continue;
    }
    const Type& type = *statement.column_types[static_cast<size_t>(i)];
    if (ContentBytes(type, value) > options_.max_value_bytes) {
      return MakeErrorWithHint(
          Reason::kLimitExceeded,
          fmt::format("a value of column '{}' has more than {} bytes",
                      (*statement.columns)[static_cast<size_t>(i)].name, options_.max_value_bytes),
          "raise max_value_bytes of the database, or read the value in parts");
    }
    absl::Status written = WriteValue(type, value, writer);
    if (!written.ok()) return written;
  }
  writer->EndRow();
  return absl::OkStatus();
}

Connection::Ending Connection::Receive(StatementRun* run, const Statement& statement,
                                       Command* command, size_t max_bytes) {
  run->read_only = statement.reads();
  for (;;) {
    const bool over = link_->session_ended();
    absl::StatusOr<Result> result = Next(command);
    if (!result.ok()) {
      if (run->status.ok()) run->status = WhenLost(result.status(), statement, over);
      return Ending::kDone;
    }
    // They come before the result that they belong to.
    if (link_->has_notices()) link_->TakeNotices(&run->summary);
    switch (result->sort()) {
      case Result::Sort::kRow:
        ++run->summary.rows_returned;
        if (run->writer == nullptr) break;
        if (!KeepsRows(*run, statement, *command)) {
          command->rows_dropped = true;
        } else if (absl::Status written = WriteRow(*result, statement, run->writer);
                   !written.ok()) {
          command->rows_dropped = true;
          Interrupt(command, std::move(written));
        } else if (run->writer->bytes() >= max_bytes && command->interruption.ok()) {
          return Ending::kMore;
        }
        break;
      case Result::Sort::kDone:
        if (run->writer != nullptr && result->rows() > 0) {
          // Never a short result: these were to come one by one.
          link_->Break();
          run->status = driver::MakeError(Reason::kIo, "rows came in an unexpected form");
          return Ending::kDone;
        }
        ++command->done;
        if (Counts(result->tag())) run->summary.rows_affected += result->rows_affected();
        break;
      case Result::Sort::kError: {
        if (!run->status.ok()) break;
        run->status = Failure(*result, *command, run, &statement);
        if (in_transaction_ && !stale_read_ && IsStale(result->error())) {
          run->status = StalePlanError(run->status);
        }
        if (flavor_.cockroach && !in_transaction_ && !statement.reads() &&
            MayHaveCommitted(result->error().sqlstate)) {
          run->status = OutcomeUnknown(run->status);
        }
        // The server's error undoes the statement. Not so libpq's own, which has no
        // SQLSTATE, nor one that comes when it has ended, which may be the commit's.
        if (result->error().sqlstate.empty() || command->done > 0) {
          run->status = WhenLost(run->status, statement, over);
        }
        break;
      }
      case Result::Sort::kCopy:
        run->status = MakeError(Reason::kUnsupported, "COPY from or to the client is not served");
        link_->Break();
        return Ending::kDone;
      case Result::Sort::kSkipped: command->skipped = true; break;
      case Result::Sort::kEnd:
        if (command->ends_with_sync) break;
        return Ended(run, statement, *command);
      case Result::Sort::kSync:
        if (!link_->WaitForCancel(command->give_up)) link_->Break();
        return Ended(run, statement, *command);
      default: break;
    }
  }
}

bool Connection::KeepsRows(const StatementRun& run, const Statement& statement,
                           const Command& command) {
  if (command.rows_dropped) return false;
  if (command.interruption.ok()) return true;
  // The cancel may come too late: what was done is then to be answered with its rows.
  constexpr size_t kMostKept = 2 * kNoCursor;
  return !statement.reads() && run.writer->bytes() < kMostKept;
}

Connection::Ending Connection::Ended(StatementRun* run, const Statement& statement,
                                     const Command& command) const {
  // What was interrupted may have ended well all the same, if all is here.
  if (!run->status.ok() || command.interruption.ok()) return Ending::kDone;
  if (command.done > 0 && !command.rows_dropped) return Ending::kDone;
  run->status = command.interruption;
  if (command.done > 0 && !statement.reads() && !in_transaction_) {
    const std::string_view why(command.interruption.message().data(),
                               command.interruption.message().size());
    run->status = MakeErrorWithHint(
        Reason::kCommitOutcomeUnknown,
        fmt::format("the statement was executed, but its rows are not all here: {}", why),
        "do not run it again; read what is there");
  }
  return Ending::kDone;
}

absl::Status Connection::WhenLost(const absl::Status& status, const Statement& statement,
                                  bool over) const {
  // The commit is what the sync makes of the statement.
  const bool may_commit = !in_transaction_ && !statement.reads() && !over;
  return may_commit && Lost(status) ? OutcomeUnknown() : status;
}

absl::Status Connection::OutcomeUnknown() const {
  const absl::Status lost = link_->BrokenError();
  return OutcomeUnknown(driver::MakeError(
      Reason::kConnectionLost,
      fmt::format("{} before the answer came",
                  std::string_view(lost.message().data(), lost.message().size()))));
}

absl::Status Connection::OutcomeUnknown(const absl::Status& why) {
  return MakeError(Reason::kCommitOutcomeUnknown,
                   fmt::format("{}: what was asked for may or may not be done",
                               std::string_view(why.message().data(), why.message().size())),
                   {.sqlstate = driver::GetErrorInfo(why).sqlstate,
                    .hint = "look at the data before trying again"});
}

absl::StatusOr<Statement> Connection::MakeOnce(const StatementRun& run) {
  const Syntax syntax = Read(run.sql);
  absl::Status checked = Check(run.sql, syntax);
  if (checked.ok()) checked = CheckSchemaChange(syntax);
  if (!checked.ok()) return checked;
  Statement statement(syntax);
  statement.sql = run.sql;
  for (const driver::Value& value : run.args) {
    absl::StatusOr<uint32_t> type = NaturalType(value);
    if (!type.ok()) return type.status();
    // Every natural type is one of those that the registry begins with.
    statement.types.push_back(types_->Find(*type));
    statement.parameters.push_back(statement.types.back().get());
  }
  absl::Status encoded = Encode(run.args, statement);
  if (!encoded.ok()) return encoded;
  return statement;
}

bool Connection::SendOnce(const Statement& statement) {
  return statement.parameters.empty() ? link_->SendText(statement.sql) : SendText(statement);
}

void Connection::RunOnce(StatementRun* run) {
  const Watch watch(link_.get(), run->deadline, run->cancellation);
  run->status = watch.Interruption();
  if (!run->status.ok()) return;
  const absl::StatusOr<Statement> made = MakeOnce(*run);
  if (!made.ok()) {
    run->status = made.status();
    return;
  }
  const Statement& statement = *made;
  for (int attempt = 1; attempt <= kMostCancels; ++attempt) {
    run->status = watch.Interruption();
    if (!run->status.ok()) return;
    run->summary = {};
    Command command(&watch);
    if (!SendOnce(statement)) {
      run->status = link_->BrokenError();
      return;
    }
    link_->RowByRow();
    link_->SendSync();
    Receive(run, statement, &command, kNoCursor);
    CheckSession(run, statement);
    if (!RunsAgain(&run->status)) return;
  }
}

absl::Status Connection::CancelledByChance(const absl::Status& status) {
  return MakeError(Reason::kSerializationFailure,
                   "the statement was ended by a cancel that was meant for another one",
                   {.sqlstate = driver::GetErrorInfo(status).sqlstate,
                    .hint = "run the transaction again from its beginning"});
}

bool Connection::RunsAgain(absl::Status* status) const {
  // A read of the past is run again with its transaction.
  if (stale_read_ || !HitByCancel(*status)) return false;
  if (!in_transaction_) return linked();
  *status = CancelledByChance(*status);
  return false;
}

void Connection::RunOne(StatementRun* run, bool may_leave_cursor) {
  if (IsOnce(*run)) {
    RunOnce(run);
    return;
  }
  if (run->staleness.count() != 0 && !stale_read_) {
    RunStale(run, may_leave_cursor);
    return;
  }
  auto watch = std::make_unique<Watch>(link_.get(), run->deadline, run->cancellation);
  constexpr int kAttempts = 3;
  for (int attempt = 1; attempt <= kAttempts; ++attempt) {
    run->status = watch->Interruption();
    if (!run->status.ok()) return;
    const bool many = !run->rows.empty();
    const std::vector<driver::Value> of_rows =
        many ? Representatives(run->rows) : std::vector<driver::Value>();
    absl::StatusOr<Statement*> prepared =
        Prepare(run->sql, many ? of_rows : run->args, run->prepared, *watch);
    if (!prepared.ok()) {
      run->status = prepared.status();
      if (in_transaction_) run->status = CheckTransaction(run->status);
      if (RunsAgain(&run->status)) continue;
      return;
    }
    Statement* statement = *prepared;
    run->status = ForgetSequences(*statement, *watch);
    if (!run->status.ok()) return;
    run->summary = {};
    if (run->writer != nullptr) run->writer->Begin(statement->columns);
    const bool sent = many ? RunMany(run, statement, *watch)
                           : RunPrepared(run, statement, may_leave_cursor, &watch);
    if (run->cursor != nullptr) return;
    CheckSession(run, *statement);
    if (RunsAgain(&run->status)) continue;
    if (!MayBeStale(run->status, *statement)) return;
    statements_.Remove(statement);
    // Within a transaction what the server has refused is final.
    if (!linked() || (in_transaction_ && sent)) return;
  }
}

bool Connection::RunMany(StatementRun* run, Statement* statement, const Watch& watch) {
  if (SendCaller(run->caller)) {
    Command command(&watch);
    TakeCaller(&command);
  }
  const bool could_go_on = !in_transaction_ || !transaction_aborted();
  RunRows(run, statement, watch);
  return in_transaction_ && could_go_on && transaction_aborted();
}

bool Connection::RunPrepared(StatementRun* run, Statement* statement, bool may_leave_cursor,
                             std::unique_ptr<Watch>* watch) {
  auto command = std::make_unique<Command>(watch->get());
  const driver::TimePoint began = Now();
  const bool renamed = SendCaller(run->caller);
  run->status = (*watch)->Interruption();
  const bool sent = run->status.ok() && Send(run, statement, run->args);
  if (sent) link_->SendSync();
  if (renamed) TakeCaller(command.get());
  if (!sent) return false;
  link_->RowByRow();
  const Ending ending =
      Receive(run, *statement, command.get(), may_leave_cursor ? run->limits.max_bytes : kNoCursor);
  if (ending == Ending::kMore && may_leave_cursor) {
    statement->Note(Now() - began, run->limits.max_bytes);
    run->cursor =
        std::make_unique<Cursor>(this, run, statement, std::move(*watch), std::move(command));
    return true;
  }
  if (ending == Ending::kMore) {
    Interrupt(command.get(), ResultTooLarge());
    Receive(run, *statement, command.get(), kNoCursor);
  }
  statement->Note(Now() - began, run->writer != nullptr ? run->writer->bytes() : 0);
  return true;
}

bool Connection::HitByCancel(const absl::Status& status) const {
  // An interruption of its own is an error without a SQLSTATE.
  if (!flavor_.cockroach || status.ok()) return false;
  if (driver::GetErrorInfo(status).sqlstate != kQueryCancelled) return false;
  // The server's own limits have the same code, and no other field; its words are English.
  return std::string_view(status.message().data(), status.message().size()).find("timeout") ==
         std::string_view::npos;
}

bool Connection::MayBeStale(const absl::Status& status, const Statement& statement) {
  if (status.ok() || statement.fresh) return false;
  const driver::ErrorInfo info = driver::GetErrorInfo(status);
  // The driver's own: a value does not suit the type that a parameter had.
  if (info.sqlstate.empty()) {
    return info.reason == Reason::kInvalidParameter || info.reason == Reason::kDataException;
  }
  // By the classes of what depends on types, names and plans; not what the data or the
  // backend's state are the reason of.
  constexpr std::array<std::string_view, 6> kClasses = {"0A", "22", "26", "3F", "42", "XX"};
  return std::find(kClasses.begin(), kClasses.end(), info.sqlstate.substr(0, 2)) != kClasses.end();
}

bool Connection::IsStale(const ServerError& error) const {
  return IsStalePlan(error) || (flavor_.cockroach && IsOtherEnumVersion(error));
}

absl::Status Connection::StalePlanError(const absl::Status& status) {
  return driver::MakeError(Reason::kSerializationFailure,
                           "a table has changed since the statement was prepared",
                           {.sqlstate = driver::GetErrorInfo(status).sqlstate,
                            .hint = "run the transaction again: the statement is prepared anew"});
}

absl::Status Connection::ResultTooLarge() {
  return MakeErrorWithHint(Reason::kLimitExceeded,
                           fmt::format("the result has more than {} MiB", kNoCursor >> 20),
                           "read it with Query, which streams");
}

void Connection::RestoreEncoding(StatementRun* run) {
  run->status = MakeErrorWithHint(
      Reason::kUnsupported, "the statement has changed client_encoding: its answer cannot be read",
      "leave client_encoding as it is, which is UTF8; convert_to gives a text's bytes in another "
      "encoding");
  session_changed_ = true;
  // Within a failed transaction it cannot be set, and comes back with the rollback.
  if (link_->transaction() == Link::Transaction::kFailed) return;
  if (!Control("SET client_encoding = 'UTF8'").ok() || !link_->speaks_utf8()) link_->Break();
}

void Connection::CheckSession(StatementRun* run, const Statement& statement) {
  if (!linked()) return;
  sequences_used_ = sequences_used_ || statement.effects.writes;
  if (statement.forgets_prepared) statements_.Clear();
  if (statement.effects.changes_session) ChangeSession(statement);
  // The part of a change that has not failed is there.
  if (run->status.ok() || driver::GetErrorInfo(run->status).reason == Reason::kSchemaChangeFailed) {
    NoteDefinitions(statement);
  }
  if (!link_->speaks_utf8()) RestoreEncoding(run);
  if (in_transaction_ && !stale_read_) {
    run->status = CheckTransaction(run->status);
    return;
  }
  const bool open = link_->transaction() != Link::Transaction::kNone;
  if (open == in_transaction_) return;
  run->status = MakeErrorWithHint(Reason::kTransactionControl,
                                  "the statement has begun or ended a transaction",
                                  "use the Transaction call, which holds a connection for it");
  if (open) Control("ROLLBACK").IgnoreError();
  in_transaction_ = false;
  session_changed_ = true;
}

void Connection::NoteDefinitions(const Statement& statement) {
  using Verb = Syntax::Verb;
  if (statement.verb == Verb::kCode && in_transaction_) statements_.RemoveAll();
  const bool unknown = statement.verb == Verb::kUnknown && !statement.keeps_schema;
  if (statement.verb != Verb::kDefine && !unknown) return;
  statements_.RemoveAll();
  // Others see it when it is committed.
  defines_ = in_transaction_;
  if (!in_transaction_) definitions_->Change();
}

}  // namespace penstock::postgres
