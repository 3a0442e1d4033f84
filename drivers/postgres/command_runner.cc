#include "drivers/postgres/command_runner.h"

#include <algorithm>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/postgres/cockroach_error.h"
#include "fmt/format.h"
#include "text/string_views.h"

namespace penstock::postgres {
namespace {

using driver::MakeError;
using driver::Reason;

// The time for a statement of the driver's own, for which the server has nothing to compute.
constexpr auto kControlTimeout = std::chrono::seconds(30);

// So many results take far less time than anybody's limit.
constexpr size_t kResultsBetweenLooks = 64;

driver::TimePoint Now() { return std::chrono::steady_clock::now(); }

}  // namespace

CommandWatch::CommandWatch(Link* link, const driver::Deadline& deadline,
                           driver::Cancellation* cancellation)
    : link_(link), deadline_(deadline), cancellation_(cancellation) {
  if (cancellation_ != nullptr) cancellation_->Add(this);
}

CommandWatch::~CommandWatch() {
  if (cancellation_ != nullptr) cancellation_->Remove(this);
}

absl::Status CommandWatch::Interruption() const {
  if (cancellation_ != nullptr && cancellation_->cancelled()) return cancellation_->status();
  return deadline_.passed(Now()) ? deadline_.Error() : absl::OkStatus();
}

void SegmentWatch::Add(const CommandWatch* watch) {
  watches_.push_back(watch);
  until_ = std::min(until_, watch->until());
}

absl::Status SegmentWatch::Interruption() const {
  const bool late = Now() >= until_;
  for (const CommandWatch* watch : watches_) {
    if (!late && !watch->cancelled()) continue;
    if (absl::Status why = watch->Interruption(); !why.ok()) return why;
  }
  return absl::OkStatus();
}

CommandRunner::CommandRunner(const Options& options, const Flavor& flavor,
                             std::unique_ptr<Link> link)
    : options_(options), flavor_(flavor), link_(std::move(link)) {}

absl::StatusOr<Result> CommandRunner::Next(PendingCommand* command) {
  for (;;) {
    // The wake-up may have come while an earlier command was waited for.
    if (command->interruption.ok() && command->watch->cancelled()) {
      Interrupt(command, command->watch->Interruption());
    }
    if (!LookAtTime(command)) return command->interruption;
    const bool ending = !command->interruption.ok();
    switch (link_->WaitForResult(ending ? std::min(command->give_up, command->cancel_again)
                                        : command->until)) {
      case Link::Wait::kReady: return link_->Take();
      case Link::Wait::kBroken: return ending ? command->interruption : link_->BrokenError();
      case Link::Wait::kTimeUp:
      case Link::Wait::kWoken:
        if (!KeepWaiting(command)) return command->interruption;
        break;
    }
  }
}

bool CommandRunner::LookAtTime(PendingCommand* command) {
  if (++command->results % kResultsBetweenLooks != 0) return true;
  if (!command->interruption.ok() && Now() >= command->give_up) {
    link_->Break();
    return false;
  }
  Interrupt(command, command->Interruption());
  return true;
}

bool CommandRunner::KeepWaiting(PendingCommand* command) {
  if (command->interruption.ok()) {
    Interrupt(command, command->Interruption());
  } else if (Now() >= command->give_up) {
    link_->Break();
    return false;
  } else if (Now() >= command->cancel_again) {
    link_->CancelAgain();
    command->cancel_again = Now() + (command->cancel_pause *= 2);
  }
  return true;
}

void CommandRunner::Interrupt(PendingCommand* command, absl::Status why) {
  // OK: it was somebody else on this connection who was cancelled.
  if (why.ok() || !command->interruption.ok()) return;
  command->interruption = std::move(why);
  command->give_up = Now() + options_.cancel_grace;
  // A cancel that overtakes its statement finds the server idle, and does nothing.
  command->cancel_again = Now() + command->cancel_pause;
  link_->Cancel();
}

void CommandRunner::SettleCancel(const PendingCommand& command) {
  if (!link_->WaitForCancel(command.give_up)) link_->Break();
}

absl::Status CommandRunner::FinishCommand(PendingCommand* command) {
  absl::Status failure;
  for (;;) {
    absl::StatusOr<Result> result = Next(command);
    if (!result.ok()) return result.status();
    switch (result->kind()) {
      case Result::Kind::kEnd: return failure;
      case Result::Kind::kError: failure.Update(Failure(*result, *command)); break;
      case Result::Kind::kDone:
      case Result::Kind::kSkipped: break;
      default:
        // It is not the end of this command that the server tells.
        link_->Break();
        return link_->BrokenError();
    }
  }
}

absl::Status CommandRunner::FinishCommands(PendingCommand* command, int count) {
  absl::Status first;
  for (; count > 0 && linked(); --count) first.Update(FinishCommand(command));
  return first;
}

absl::Status CommandRunner::FinishSegment(PendingCommand* command, const Visit& visit) {
  absl::Status first;
  for (int ends = 0; ends < 2;) {
    absl::StatusOr<Result> result = Next(command);
    if (!result.ok()) return first.ok() ? result.status() : first;
    switch (result->kind()) {
      case Result::Kind::kSync:
        SettleCancel(*command);
        // Notices that the driver's own statements bring about are nobody's.
        link_->DropNotices();
        return first;
      case Result::Kind::kError:
        if (first.ok()) first = Failure(*result, *command);
        break;
      case Result::Kind::kEnd:
        ++ends;
        if (visit != nullptr) link_->RowByRow();
        continue;
      case Result::Kind::kCopy: link_->Break(); break;
      case Result::Kind::kRow:
      case Result::Kind::kDone:
        if (visit != nullptr && !visit(*result)) link_->Break();
        break;
      default: break;
    }
    ends = 0;
  }
  link_->Break();
  return first.ok() ? link_->BrokenError() : first;
}

absl::Status CommandRunner::Failure(const Result& result, const PendingCommand& command,
                                    std::string_view sql, const driver::StatementRun* run) const {
  ServerError error = result.error();
  if (error.sqlstate == kQueryCancelled && !command.interruption.ok()) {
    return command.interruption;
  }
  if (error.sqlstate.empty()) return link_->BrokenError();
  FindColumn(&error);
  if (run != nullptr) {
    HideParameters(driver::ParameterValues(run->args, run->rows), sql, &error);
  } else if (error.sqlstate.starts_with("23")) {
    // The error was found at the commit, in what earlier statements have done. The key that it
    // tells has come from parameters that are not known any more.
    error.detail.clear();
  }
  if (flavor_.cockroach) HideCockroachValues(sql, &error);
  return Classify(error, flavor_.cockroach);
}

absl::Status CommandRunner::Control(const std::string& sql, const CommandWatch& watch) {
  PendingCommand command(&watch);
  if (!link_->SendText(sql) || !link_->SendSync()) return link_->BrokenError();
  return FinishSegment(&command);
}

absl::Status CommandRunner::Control(const std::string& sql) {
  return Control(sql, CommandWatch(link_.get(), ControlLimit(), nullptr));
}

driver::Deadline CommandRunner::ControlLimit() {
  return {.at = Now() + kControlTimeout, .reason = Reason::kQueryTimeout};
}

int CommandRunner::SendAhead(const std::string& sql) {
  link_->SendText(sql);
  link_->SendSync();
  return 1;
}

void CommandRunner::TakeAhead(int segments, const CommandWatch& watch) {
  for (; segments > 0 && linked(); --segments) {
    PendingCommand command(&watch);
    FinishSegment(&command).IgnoreError();
  }
}

bool CommandRunner::HitByCancel(const absl::Status& status) const {
  // An interruption of its own is an error without a SQLSTATE.
  if (!flavor_.cockroach || status.ok()) return false;
  if (driver::GetErrorInfo(status).sqlstate != kQueryCancelled) return false;
  // The server's own limits have the same code, and no other field; its words are English.
  return ToStd(status.message()).find("timeout") == std::string_view::npos;
}

// CockroachDB answers a request to cancel before it acts upon it, and its nodes forward it to
// each other: it may end whatever the session runs later.
bool CommandRunner::closing() const { return flavor_.cockroach && link_->cancels() > 0; }

absl::Status CommandRunner::OutcomeUnknown() const {
  const absl::Status lost = link_->BrokenError();
  return postgres::OutcomeUnknown(MakeError(
      Reason::kConnectionLost, fmt::format("{} before the answer came", ToStd(lost.message()))));
}

absl::Status OutcomeUnknown(const absl::Status& why) {
  return MakeError(
      Reason::kCommitOutcomeUnknown,
      fmt::format("{}: the request may or may not have taken effect", ToStd(why.message())),
      {.sqlstate = driver::GetErrorInfo(why).sqlstate,
       .hint = "check the data before you try again"});
}

absl::Status CancelledByChance(const absl::Status& status) {
  return MakeError(Reason::kSerializationFailure,
                   "the statement was cancelled by a request that was meant for another one",
                   {.sqlstate = driver::GetErrorInfo(status).sqlstate,
                    .hint = "run the transaction again from its beginning"});
}

}  // namespace penstock::postgres
