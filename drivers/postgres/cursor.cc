#include "drivers/postgres/cursor.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace penstock::postgres {
namespace {

using Clock = std::chrono::steady_clock;

// A result that is dropped has so long to come to its end before its statement is cancelled. Often
// there is nothing left but the end itself. A cancel would then be for nothing, and on CockroachDB,
// which acts late upon it, could hit the next statement of the transaction.
constexpr auto kPatience = std::chrono::milliseconds(200);

}  // namespace

Cursor::Cursor(CommandRunner* runner, ResultReceiver* receiver, SessionKeeper* session,
               const driver::StatementRun& run, const Statement* statement,
               std::unique_ptr<CommandWatch> watch, std::unique_ptr<PendingCommand> command)
    : runner_(runner),
      receiver_(receiver),
      session_(session),
      statement_(statement),
      watch_(std::move(watch)),
      command_(std::move(command)) {
  rest_.summary = run.summary;
  rest_.must_only_read = run.must_only_read;
  for (const driver::Value& value : run.args) args_.push_back(Copy(value));
  rest_.args = args_;
}

driver::Value Cursor::Copy(const driver::Value& value) {
  driver::Value copy = value;
  copy.text = texts_.emplace_back(value.text);
  if (value.elements.empty()) return copy;
  std::vector<driver::Value> elements;
  for (const driver::Value& element : value.elements) elements.push_back(Copy(element));
  copy.elements = arrays_.emplace_back(std::move(elements));
  return copy;
}

Cursor::~Cursor() {
  if (finished_) return;
  // A caller that has cancelled, or whose time is up, does not wait.
  runner_->Interrupt(command_.get(), watch_->Interruption());
  const CommandWatch patience(
      &runner_->link(),
      {.at = std::min<driver::TimePoint>(Clock::now() + kPatience, watch_->until())}, nullptr);
  command_->watch = &patience;
  command_->until = patience.until();
  rest_.writer = nullptr;
  receiver_->Receive(&rest_, *statement_, command_.get(), 0);
  Finish();
}

absl::StatusOr<bool> Cursor::Fetch(const driver::BatchLimits& limits, driver::RowWriter* writer) {
  if (finished_) return false;
  rest_.writer = writer;
  const ResultReceiver::Ending ending =
      receiver_->Receive(&rest_, *statement_, command_.get(), limits.max_bytes);
  if (ending == ResultReceiver::Ending::kMore) return true;
  Finish();
  if (!rest_.status.ok()) return rest_.status;
  return false;
}

void Cursor::Finish() {
  finished_ = true;
  session_->CheckSession(&rest_, *statement_);
  session_->EndOwn();
  session_->CleanUp();
}

}  // namespace penstock::postgres
