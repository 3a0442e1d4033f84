#include "server/rpc/migrate_events.h"

#include <utility>

namespace penstock::server {

bool MigrateEvents::Push(const v1::MigrateResponse& event, bool is_answer) {
  const std::lock_guard lock(mutex_);
  if (finish_.has_value() || !error_.ok()) return false;
  events_.push_back(event);
  has_answer_ = has_answer_ || is_answer;
  if (!writing_) WriteNextLocked();
  if (!error_.ok()) has_answer_ = false;
  return error_.ok();
}

void MigrateEvents::WriteNextLocked() {
  if (events_.empty()) return;
  error_ = write_(events_.front());
  writing_ = error_.ok();
  events_.pop_front();
  if (error_.ok()) return;
  events_.clear();
  broken_(error_);
}

MigrateEvents::Written MigrateEvents::OnWritten(bool ok) {
  const std::lock_guard lock(mutex_);
  writing_ = false;
  if (ok) {
    WriteNextLocked();
  } else {
    events_.clear();
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
  finish_ = error_.ok() ? status : error_;
  return writing_ ? std::nullopt : finish_;
}

}  // namespace penstock::server
