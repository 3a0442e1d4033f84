#include "server/pool/call_monitor.h"

#include <algorithm>
#include <utility>

namespace penstock::server {
namespace {

bool IsOver(const driver::Deadline& deadline, const driver::Cancellation* cancellation,
            TimePoint now) {
  return deadline.passed(now) || (cancellation != nullptr && cancellation->cancelled());
}

}  // namespace

CallMonitor::Watch::Watch(CallMonitor* monitor) : monitor_(monitor) {
  std::lock_guard lock(monitor_->mutex_);
  monitor_->watches_.push_back(this);
}

CallMonitor::Watch::~Watch() {
  std::lock_guard lock(monitor_->mutex_);
  std::erase(monitor_->watches_, this);
}

void CallMonitor::Watch::Begin(std::span<driver::StatementRun* const> runs) {
  std::lock_guard lock(mutex_);
  runs_ = runs;
  calls_.fetch_add(1, std::memory_order_relaxed);
  running_.store(true, std::memory_order_relaxed);
}

void CallMonitor::Watch::Begin(const driver::Deadline& deadline,
                               const driver::Cancellation* cancellation) {
  std::lock_guard lock(mutex_);
  runs_ = {};
  deadline_ = deadline;
  cancellation_ = cancellation;
  calls_.fetch_add(1, std::memory_order_relaxed);
  running_.store(true, std::memory_order_relaxed);
}

void CallMonitor::Watch::End() {
  StuckCall back;
  {
    std::lock_guard lock(mutex_);
    running_.store(false, std::memory_order_relaxed);
    if (!stuck_) return;
    stuck_ = false;
    // The call ends before its connection is given back and counts as free.
    monitor_->stuck_.fetch_sub(1);
    if (transactional_) monitor_->stuck_transactions_.fetch_sub(1);
    back = DescribeLocked(monitor_->clock_.Now());
    back.came_back = true;
  }
  std::lock_guard lock(monitor_->mutex_);
  monitor_->news_.push_back(std::move(back));
}

bool CallMonitor::Watch::OverLocked(TimePoint now) const {
  if (runs_.empty()) return IsOver(deadline_, cancellation_, now);
  return std::all_of(runs_.begin(), runs_.end(), [now](const driver::StatementRun* run) {
    return IsOver(run->deadline, run->cancellation, now);
  });
}

StuckCall CallMonitor::Watch::DescribeLocked(TimePoint now) const {
  StuckCall call{.over_for = now - stuck_since_, .statements = runs_.size()};
  // A key-value operation has its text from the driver, which may be writing it.
  if (!runs_.empty() && runs_.front()->key_value == nullptr) call.sql = runs_.front()->sql;
  return call;
}

void CallMonitor::Watch::Look(TimePoint now) {
  // Most calls have come back long before they are seen twice.
  const uint64_t call = calls_.load(std::memory_order_relaxed);
  if (!running_.load(std::memory_order_relaxed) || call != seen_) {
    seen_ = call;
    over_since_ = TimePoint::max();
    return;
  }
  std::lock_guard lock(mutex_);
  if (!running_.load(std::memory_order_relaxed) || stuck_ ||
      calls_.load(std::memory_order_relaxed) != seen_ || !OverLocked(now)) {
    return;
  }
  over_since_ = std::min(over_since_, now);
  if (now - over_since_ < monitor_->patience_) return;
  stuck_ = true;
  stuck_since_ = over_since_;
  monitor_->total_.fetch_add(1);
  monitor_->stuck_.fetch_add(1);
  if (transactional_) monitor_->stuck_transactions_.fetch_add(1);
  monitor_->news_.push_back(DescribeLocked(now));
}

std::vector<StuckCall> CallMonitor::Tick(TimePoint now) {
  std::lock_guard lock(mutex_);
  for (Watch* watch : watches_) watch->Look(now);
  return std::exchange(news_, {});
}

}  // namespace penstock::server
