#include "server/rpc/migration/migrate_events.h"

#include <utility>

namespace penstock::server {

bool MigrateEvents::Push(const v1::MigrateResponse& event, bool is_answer) {
  const std::lock_guard lock(mutex_);
  if (finish_.has_value() || !error_.ok()) return false;
  events_.push_back(event);
  has_answer_ = has_answer_ || is_answer;
  StartLocked();
  if (!error_.ok()) has_answer_ = false;
  return error_.ok();
}

void MigrateEvents::Hold(const v1::MigrateResponse& event) {
  const std::lock_guard lock(mutex_);
  if (!finish_.has_value() && error_.ok()) events_.push_back(event);
}

void MigrateEvents::Flush() {
  const std::lock_guard lock(mutex_);
  StartLocked();
}

void MigrateEvents::StartLocked() {
  due_ = events_.size();
  if (!writing_) WriteNextLocked();
}

void MigrateEvents::WriteNextLocked() {
  if (due_ == 0) return;
  error_ = write_(events_.front(), --due_ > 0);
  writing_ = error_.ok();
  events_.pop_front();
  if (error_.ok()) return;
  Clear();
  broken_(error_);
}

void MigrateEvents::Clear() {
  events_.clear();
  due_ = 0;
}

MigrateEvents::Written MigrateEvents::OnWritten(bool ok) {
  const std::lock_guard lock(mutex_);
  writing_ = false;
  if (ok) {
    WriteNextLocked();
  } else {
    Clear();
  }
  Written written;
  if (writing_) return written;
  written.finish = finish_;
  written.answered = std::exchange(has_answer_, false);
  written.failed = !ok || !error_.ok();
  return written;
}

std::optional<absl::Status> MigrateEvents::End(const absl::Status& status) {
  const std::lock_guard lock(mutex_);
  StartLocked();
  finish_ = error_.ok() ? status : error_;
  return writing_ ? std::nullopt : finish_;
}

}  // namespace penstock::server
