// Idle streams, which may be taken, given back and ended by any thread.
//
// `mutex_` protects all members. No stream is destroyed under it, because ending a stream may wait
// for its connection: functions move the streams to a local list that is declared before the lock,
// and so destroyed after it is released. The ager does the same by unlocking.
//
// Entries are in the order in which they were given back, so the first one is always the next to
// become too old, and the ager has to look at that one only. It sleeps without a deadline while
// there is no entry.
#include "client/src/idle_streams.h"

#include <iterator>
#include <utility>

#include "absl/time/clock.h"

namespace penstock::internal {

bool IdleStreams::forked() const { return getpid() != pid_; }

IdleStreams::~IdleStreams() {
  if (forked()) {
    new Entries(std::move(entries_));
    new std::thread(std::move(ager_));
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    changed_.notify_all();
  }
  if (ager_.joinable()) ager_.join();
}

void IdleStreams::Give(const void* owner, std::unique_ptr<IdleStream> stream) {
  Entries ended;
  const std::lock_guard lock(mutex_);
  entries_.push_back({owner, std::move(stream), absl::Now()});
  if (entries_.size() > most_) ended.splice(ended.end(), entries_, entries_.begin());
  if (!ager_.joinable()) ager_ = std::thread([this] { Age(); });
  if (entries_.size() == 1) changed_.notify_all();
}

std::unique_ptr<IdleStream> IdleStreams::Take(const void* owner) {
  if (forked()) return nullptr;
  const std::lock_guard lock(mutex_);
  for (auto entry = entries_.rbegin(); entry != entries_.rend(); ++entry) {
    if (entry->owner != owner) continue;
    std::unique_ptr<IdleStream> stream = std::move(entry->stream);
    entries_.erase(std::next(entry).base());
    return stream;
  }
  return nullptr;
}

void IdleStreams::End(const void* owner) {
  if (forked()) return;
  Entries ended;
  const std::lock_guard lock(mutex_);
  for (auto entry = entries_.begin(); entry != entries_.end();) {
    const auto next = std::next(entry);
    if (entry->owner == owner) ended.splice(ended.end(), entries_, entry);
    entry = next;
  }
}

void IdleStreams::EndAll() {
  if (forked()) return;
  Entries ended;
  const std::lock_guard lock(mutex_);
  ended.swap(entries_);
}

size_t IdleStreams::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

void IdleStreams::Age() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    if (entries_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const absl::Time due = entries_.front().since + age_;
    if (absl::Now() < due) {
      changed_.wait_until(lock, absl::ToChronoTime(due));
      continue;
    }
    Entries ended;
    ended.splice(ended.end(), entries_, entries_.begin());
    lock.unlock();
    ended.clear();
    lock.lock();
  }
}

}  // namespace penstock::internal
