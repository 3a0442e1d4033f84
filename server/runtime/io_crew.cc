#include "server/runtime/io_crew.h"

#include <algorithm>

#include "server/runtime/thread_pool.h"

namespace penstock::server {
namespace {

// The batch of events that this thread is handling, if it is an I/O thread.
thread_local IoCrew::Batch* current_batch = nullptr;

}  // namespace

IoCrew::Batch::Batch(IoCrew& crew) : crew_(crew) { current_batch = this; }

IoCrew::Batch::~Batch() {
  current_batch = nullptr;
  for (ThreadPool* thread_pool : thread_pools_) thread_pool->Kick(&crew_);
}

IoCrew::Batch* IoCrew::Batch::Current() { return current_batch; }

void IoCrew::Batch::Add(ThreadPool* thread_pool) {
  if (std::find(thread_pools_.begin(), thread_pools_.end(), thread_pool) == thread_pools_.end()) {
    thread_pools_.push_back(thread_pool);
  }
}

bool IoCrew::Lead() {
  std::unique_lock lock(mutex_);
  reserve_.wait(lock, [this] { return !deputy_waits_ || stopping_; });
  deputy_waits_ = true;
  while (!stopping_ && leader_ != std::thread::id()) {
    const TimePoint now = Clock::System().Now();
    if (away_since_ != TimePoint::max()) {
      if (now - away_since_ >= kPatience) break;
      deputy_.wait_until(lock, away_since_ + kPatience);
    } else if (now - last_away_ < 5 * kPatience) {
      // Work comes in often: looking every moment is cheaper than being woken.
      deputy_.wait_for(lock, kPatience);
    } else {
      deputy_sleeps_ = true;
      deputy_.wait(lock);
      deputy_sleeps_ = false;
    }
  }
  deputy_waits_ = false;
  leader_ = std::this_thread::get_id();
  away_since_ = TimePoint::max();
  alone_since_ = Clock::System().Now();
  reserve_.notify_one();
  return !stopping_;
}

bool IoCrew::StillLeads() const {
  std::lock_guard lock(mutex_);
  return leader_ == std::this_thread::get_id();
}

bool IoCrew::MissesDeputy() {
  std::lock_guard lock(mutex_);
  if (deputy_waits_) return false;
  const TimePoint now = Clock::System().Now();
  if (now - alone_since_ <= kLost) return false;
  alone_since_ = now;
  return true;
}

void IoCrew::Stop() {
  std::lock_guard lock(mutex_);
  stopping_ = true;
  deputy_.notify_all();
  reserve_.notify_all();
}

bool IoCrew::TryStandIn() {
  bool wake = false;
  {
    std::lock_guard lock(mutex_);
    if (!deputy_waits_) return false;
    last_away_ = away_since_ = Clock::System().Now();
    wake = deputy_sleeps_;
  }
  if (wake) deputy_.notify_one();
  return true;
}

void IoCrew::EndStandIn() {
  std::lock_guard lock(mutex_);
  if (leader_ == std::this_thread::get_id()) away_since_ = TimePoint::max();
}

}  // namespace penstock::server
