#include "drivers/postgres/cursor.h"

#include <utility>

namespace penstock::postgres {

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
  // Whoever drops it does not say why; the error goes nowhere.
  runner_->Interrupt(command_.get(), absl::CancelledError("the result is not wanted any more"));
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
  session_->EndStaleRead();
  session_->CleanUp();
}

}  // namespace penstock::postgres
