#include "drivers/postgres/cursor.h"

#include <utility>

namespace penstock::postgres {

Cursor::Cursor(Connection* connection, const driver::StatementRun* run, const Statement* statement,
               std::unique_ptr<Connection::Watch> watch,
               std::unique_ptr<Connection::Command> command)
    : connection_(connection),
      statement_(statement),
      watch_(std::move(watch)),
      command_(std::move(command)) {
  rest_.summary = run->summary;
  for (const driver::Value& value : run->args) args_.push_back(Copy(value));
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
  connection_->Interrupt(command_.get(), absl::CancelledError("the result is not wanted any more"));
  rest_.writer = nullptr;
  connection_->Receive(&rest_, *statement_, command_.get(), 0);
  Finish();
}

absl::StatusOr<bool> Cursor::Fetch(const driver::BatchLimits& limits, driver::RowWriter* writer) {
  if (finished_) return false;
  rest_.writer = writer;
  const Connection::Ending ending =
      connection_->Receive(&rest_, *statement_, command_.get(), limits.max_bytes);
  if (ending == Connection::Ending::kMore) return true;
  Finish();
  if (!rest_.status.ok()) return rest_.status;
  return false;
}

void Cursor::Finish() {
  finished_ = true;
  connection_->CheckSession(&rest_, *statement_);
  connection_->EndStaleRead();
  connection_->CleanUp();
}

}  // namespace penstock::postgres
