// The part of the pool that reaches the backend: opening, checking and closing.
#include <algorithm>
#include <chrono>
#include <utility>

#include "drivers/api/error.h"
#include "server/pool/pool.h"
#include "server/pool/watched_connection.h"

namespace penstock::server {

using driver::Deadline;
using driver::Reason;

namespace {

// A lease that waits for another's connection looks at its deadline this often.
constexpr auto kHandoverPause = std::chrono::milliseconds(10);

}  // namespace

Deadline Pool::AttemptDeadline(const Deadline& deadline, TimePoint now) const {
  if (options_.config.connect_timeout == Milliseconds::zero()) return deadline;
  return driver::Earlier(
      deadline, {.at = now + options_.config.connect_timeout, .reason = Reason::kConnectionFailed});
}

absl::Status Pool::Connect(Entry* entry, const Deadline& deadline) {
  // A statement queue runs batch after batch on one lease. Between two of them the connection may
  // have been lost, or another one, which says that this one may be lost too.
  if (entry->ready && entry->generation == generation_.load() && entry->connection->Alive()) {
    return absl::OkStatus();
  }
  if (entry->connection != nullptr) {
    if (Works(entry, deadline)) return absl::OkStatus();
    CloseBroken(entry);
  }
  absl::Status claimed = ClaimAttempt(entry);
  if (!claimed.ok()) return claimed;
  const TimePoint began = clock_.Now();
  // It is too late to learn anything; the attempt is abandoned with the lease.
  if (deadline.passed(began)) return deadline.Error();
  const uint64_t generation = generation_.load();
  const Deadline limit = AttemptDeadline(deadline, began);
  absl::StatusOr<std::unique_ptr<driver::Connection>> connection =
      driver_->Connect(options_.lane, limit);
  if (!connection.ok()) {
    absl::Status failed = OnConnectFailed(entry, connection.status(), began,
                                          limit.reason != Reason::kConnectionFailed);
    const bool full = driver::GetErrorInfo(failed).reason == Reason::kBackendResources;
    return full && entry->may_wait ? AwaitHandover(entry, deadline, clock_.Now(), failed) : failed;
  }
  entry->connection = WatchCalls(*std::move(connection), &monitor_);
  OnConnected(entry, generation);
  return absl::OkStatus();
}

// Tells whether a connection that was idle may be used.
bool Pool::Works(Entry* entry, const Deadline& deadline) {
  if (!entry->connection->Alive()) return false;
  const TimePoint now = clock_.Now();
  const uint64_t generation = generation_.load();
  const bool idle_for_long = options_.check_after_idle != Duration::zero() &&
                             now - entry->idle_since > options_.check_after_idle;
  if (idle_for_long || entry->generation != generation) {
    if (!entry->connection->Ping(AttemptDeadline(deadline, now)).ok()) return false;
    entry->generation = generation;
  }
  entry->ready = true;
  return true;
}

void Pool::CloseBroken(Entry* entry) {
  entry->ready = false;
  entry->connection.reset();
  generation_.fetch_add(1);
  std::lock_guard lock(mutex_);
  ++counts_.broken_closed;
}

// A lease of an idle connection that turned out to be broken comes without the
// right to make another.
absl::Status Pool::ClaimAttempt(Entry* entry) {
  if (entry->attempt != Backoff::Attempt::kNone) return absl::OkStatus();
  const TimePoint now = clock_.Now();
  std::lock_guard lock(mutex_);
  entry->attempt = backoff_.Start(now);
  return entry->attempt != Backoff::Attempt::kNone ? absl::OkStatus() : backoff_.Error(now);
}

void Pool::OnConnected(Entry* entry, uint64_t generation) {
  entry->generation = generation;
  entry->ready = true;
  entry->attempt = Backoff::Attempt::kNone;
  std::lock_guard lock(mutex_);
  entry->expires = ExpiryLocked(clock_.Now());
  ++counts_.connect_count;
  backoff_.Succeeded();
}

absl::Status Pool::OnConnectFailed(Entry* entry, const absl::Status& why, TimePoint began,
                                   bool cut_short) {
  const TimePoint now = clock_.Now();
  const Backoff::Attempt attempt = std::exchange(entry->attempt, Backoff::Attempt::kNone);
  std::lock_guard lock(mutex_);
  ++counts_.connect_count;
  ++counts_.connect_failures;
  // A caller in a hurry has not shown that the backend is down. One that gave it a fair part of
  // connect_timeout has.
  if (cut_short && absl::IsDeadlineExceeded(why) &&
      now - began < options_.config.connect_timeout / 4) {
    backoff_.Abandoned(attempt);
  } else {
    backoff_.Failed(attempt, now, why, random_);
  }
  return why;
}

// Several leases may have tried at once before the first was told that the backend is full. Each
// occupies a worker thread meanwhile, of which there is one for each lease.
absl::Status Pool::AwaitHandover(Entry* entry, const Deadline& deadline, TimePoint now,
                                 const absl::Status& full) {
  const Deadline limit = AttemptDeadline(deadline, now);
  {
    std::unique_lock lock(mutex_);
    ++stranded_;
    // If nobody holds a connection, none will be given back.
    while (idle_.empty() && stranded_ < in_use_ && !limit.passed(clock_.Now())) {
      given_back_.wait_for(lock, kHandoverPause);
    }
    --stranded_;
    given_back_.notify_all();
    if (idle_.empty()) return full;
    std::unique_ptr<Entry> idle = std::move(idle_.back());
    idle_.pop_back();
    *entry = std::move(*idle);
  }
  if (Works(entry, deadline)) return absl::OkStatus();
  CloseBroken(entry);
  return full;
}

TimePoint Pool::ExpiryLocked(TimePoint now) {
  if (options_.config.max_lifetime == Milliseconds::zero()) return TimePoint::max();
  // Connections expire up to a tenth earlier, so that those opened together do not all close, and
  // reconnect, together.
  const auto tenth = Duration(options_.config.max_lifetime).count() / 10;
  std::uniform_int_distribution<Duration::rep> jitter(0, tenth);
  return now + options_.config.max_lifetime - Duration(jitter(random_));
}

int64_t PoolStats::*Pool::WhyClose(const Entry& entry, TimePoint now) {
  if (entry.connection == nullptr) return nullptr;
  const bool healthy = entry.connection->healthy();
  if (healthy && now >= entry.expires) return &PoolStats::max_lifetime_closed;
  // A connection that cannot be proved clean is closed, never handed on.
  if (healthy && entry.connection->Reset().ok()) return nullptr;
  if (!entry.connection->healthy()) generation_.fetch_add(1);
  return &PoolStats::broken_closed;
}

int64_t PoolStats::*Pool::WhyStaleLocked(const Entry& entry, TimePoint now) const {
  if (now >= entry.expires) return &PoolStats::max_lifetime_closed;
  // The reserve stays, however long nobody needs it.
  const bool spare = static_cast<int>(idle_.size()) > options_.config.min_idle;
  const bool idle_for_long = options_.config.max_idle_time != Milliseconds::zero() &&
                             now - entry.idle_since >= options_.config.max_idle_time;
  return spare && idle_for_long ? &PoolStats::max_idle_time_closed : nullptr;
}

// Tells whether a connection is missing in the reserve or, while the backend is full and nobody
// else tries, for the callers that wait.
bool Pool::MissingLocked(TimePoint now) const {
  const int idle = static_cast<int>(idle_.size());
  if (CountedLocked() + idle >= options_.config.max_open || !backoff_.MayStart(now)) return false;
  return idle < options_.config.min_idle || (backoff_.full() && waiting_ > 0 && idle == 0);
}

bool Pool::NeedsMaintenanceLocked(TimePoint now) const {
  return MissingLocked(now) || std::any_of(idle_.begin(), idle_.end(), [&](const auto& entry) {
           return WhyStaleLocked(*entry, now) != nullptr;
         });
}

// Takes the connection out as a lease, so that its slot stays taken until it is closed.
bool Pool::CloseOneStale(TimePoint now) {
  Lease stale;
  {
    std::lock_guard lock(mutex_);
    const auto found = std::find_if(idle_.begin(), idle_.end(), [&](const auto& entry) {
      return WhyStaleLocked(*entry, now) != nullptr;
    });
    if (found == idle_.end()) return false;
    ++(counts_.*WhyStaleLocked(**found, now));
    stale = LeaseLocked(std::move(*found), false);
    idle_.erase(found);
  }
  stale.entry_->connection.reset();
  return true;
}

void Pool::Maintain() {
  const TimePoint now = clock_.Now();
  while (CloseOneStale(now)) {
  }
  Lease lease;
  {
    std::lock_guard lock(mutex_);
    if (!MissingLocked(now)) return;
    auto entry = std::make_unique<Entry>();
    entry->attempt = backoff_.Start(now);
    entry->may_wait = false;
    lease = LeaseLocked(std::move(entry), false);
  }
  // Only one is opened: the next tick sees what is still missing, so a reserve is filled gently and
  // a stop need not wait for all of it. A failure is counted, and told to the callers that ask for
  // a connection.
  lease.Connect(Deadline::None()).IgnoreError();
}

}  // namespace penstock::server
