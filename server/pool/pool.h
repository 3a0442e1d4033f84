// The connections of one database, or those of one lane where reads and writes go
// to different connections.
#ifndef PENSTOCK_SERVER_POOL_POOL_H_
#define PENSTOCK_SERVER_POOL_POOL_H_

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "server/config/config.h"
#include "server/pool/backoff.h"
#include "server/pool/call_monitor.h"
#include "server/runtime/clock.h"
#include "server/runtime/fair_queue.h"

namespace penstock::server {

class Pool;

// The right to use one connection, given back when destroyed. Movable; used by one thread at a
// time. Connect, Release and the destructor may block and belong on a worker thread.
class Lease {
 public:
  Lease() = default;
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() { Release(); }

  explicit operator bool() const { return pool_ != nullptr; }

  // Opens the connection, or checks one that was idle for long or is suspected, and replaces one
  // that fails the check. Must succeed before the connection is used, and before each batch; once
  // it has succeeded it costs next to nothing.
  //
  // Fails with the driver's error, with the deadline's, or with kConnectionFailed after
  // connect_timeout and while the pool backs off.
  absl::Status Connect(const driver::Deadline& deadline);

  // Only for connected leases.
  driver::Connection* operator->() const { return entry_->connection.get(); }

  // Gives the connection back, which is made clean, or closed if that fails.
  void Release();

 private:
  friend class Pool;
  struct Entry {
    std::unique_ptr<driver::Connection> connection;
    TimePoint expires = TimePoint::max();
    TimePoint idle_since;
    // The pool's generation when the connection was last proved to work.
    uint64_t generation = 0;
    // Connect has succeeded on this lease.
    bool ready = false;
    // If the backend is full, the lease waits for another's connection.
    bool may_wait = true;
    // The right of a lease without a connection to open one.
    Backoff::Attempt attempt = Backoff::Attempt::kNone;
  };
  Lease(Pool* pool, std::unique_ptr<Entry> entry, bool transactional)
      : pool_(pool), entry_(std::move(entry)), transactional_(transactional) {}

  Pool* pool_ = nullptr;
  std::unique_ptr<Entry> entry_;
  bool transactional_ = false;
};

// A pool's figures, in the words of Go's database/sql.
struct PoolStats {
  int max_open = 0;
  int open = 0;
  int in_use = 0;
  int idle = 0;
  int waiting = 0;
  int64_t wait_count = 0;
  Duration wait_duration{};
  int64_t max_idle_closed = 0;       // max_idle were there already
  int64_t max_idle_time_closed = 0;  // idle for too long
  int64_t max_lifetime_closed = 0;   // too old
  int64_t broken_closed = 0;         // the link was lost, or the session not clean
  int64_t connect_count = 0;         // attempts
  int64_t connect_failures = 0;
  bool backing_off = false;  // the last attempt to connect failed
  bool dead = false;         // more than one in a row did: see Backoff::dead
  int stuck = 0;             // calls that do not come back, see CallMonitor
  int64_t stuck_total = 0;   // that were ever stuck
};

// Hands out leases without ever blocking: callers that have to wait are called back. The callers of
// one tenant are served in the order in which they came, and tenants take turns (FairQueue); so do
// transactions and everything else, in which each has tenants. Thread-safe.
//
// A part of the pool (a fifth, at least one connection of two or more) is kept
// from transactions, so that open transactions cannot starve single statements.
//
// A backend that is down is not stormed, and callers that need a new connection to
// it are told at once (see Backoff); connections that work are used all the
// while. One found broken casts suspicion on all: each is pinged before its next
// use. A backend that is merely full is not down: callers wait for the
// connections there are, and Maintain finds out when there may be more.
//
// A connection whose call is stuck (see CallMonitor) is not counted, where another may
// take its place, until the call comes back.
//
// How it keeps its promises:
// - mutex_ guards the members below it. Nothing that may block is done under it: connections are
//   opened, pinged, reset and closed without it, and so is OnLease called.
// - An entry belongs to its lease while it is in use, and to idle_ otherwise. So a lease needs no
//   lock for its connection.
// - A connection is opened only after its lease counts in in_use_, and is closed before it does not
//   any more. So the backend never sees more than max_open, apart from replaced ones.
// - Acquire and Forget may be called by any thread, Tick by the ticker, and Connect, Release and
//   Maintain by workers. A waiter gets one answer for each Acquire, or none if Forget returned
//   true.
class Pool {
 public:
  // The usual Options::patience. A driver that computes in this process looks at its limits within
  // milliseconds, and a busy machine makes less than a second of that.
  static constexpr Duration kPatience = std::chrono::seconds(1);

  struct Options {
    // The settings of this pool alone, where a database has two. A connect_timeout of 0 means as
    // long as the deadline.
    PoolConfig config;
    driver::Lane lane = driver::Lane::kWrite;
    // A connection that was idle for longer is pinged before use; 0 means never.
    Duration check_after_idle{};
    // A call that goes on for so long when nobody waits for it any more is stuck.
    Duration patience = kPatience;
    // A connection with a stuck call does not count against max_open, up to max_open such
    // connections.
    bool replace_stuck = false;
    Backoff::Options backoff;
    // Seeds the jitter; 0 means from the system.
    uint32_t seed = 0;
  };

  // A caller that wants a connection, for a tenant. It stays alive until OnLease was called or
  // Forget returned true.
  class Waiter : public FairQueueItem {
   public:
    // Receives a lease that is not connected yet, or why there is none: kQueueFull, the waiter's
    // deadline, or that the backend is down. Called from Acquire, or later by the thread that gives
    // a connection back or ticks; it must not block.
    virtual void OnLease(absl::StatusOr<Lease> lease) = 0;

    // The caller sets these, and the tenant, before Acquire.
    driver::Deadline wait_until;
    bool transactional = false;

   protected:
    ~Waiter() = default;

   private:
    friend class Pool;
    bool queued_ = false;
    TimePoint since_;
  };

  // The driver outlives the pool.
  Pool(driver::Driver* driver, const Options& options, const Clock& clock = Clock::System());
  // Every lease has been given back before.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void Acquire(Waiter* waiter);

  // Takes a waiter out of the queue. Returns false if it is not there: OnLease was or is being
  // called.
  bool Forget(Waiter* waiter);

  // Tells whether somebody waits for a connection.
  bool contended() const;

  // Refuses waiters whose time is up and serves those that waited for a back-off to pass. Returns
  // whether there is work for Maintain. Never blocks.
  bool Tick(TimePoint now);

  // Closes idle connections that are too old and opens one that is missing. May block: worker
  // threads call it, one at a time.
  void Maintain();

  PoolStats Stats() const;
  const Options& options() const { return options_; }

  // Returns the calls that have become stuck, or have come back, since the last time.
  std::vector<StuckCall> TakeStuckCalls();
  // The number of connections that may be open beyond max_open at the moment.
  int replaced() const;

 private:
  friend class Lease;
  using Entry = Lease::Entry;

  using Queue = FairQueue<Waiter>;
  struct Grant {
    Waiter* waiter;
    absl::StatusOr<Lease> lease;
  };

  // The connections in use, without those that are replaced.
  int CountedLocked() const { return in_use_ - replaced(); }
  // Tells whether the next caller of a kind is given a lease or an error; if not, it waits.
  bool MayAnswerLocked(bool transactional) const;
  absl::StatusOr<Lease> AnswerLocked(bool transactional);
  Lease LeaseLocked(std::unique_ptr<Entry> entry, bool transactional);
  Queue& QueueOf(bool transactional) {
    return transactional ? transaction_queue_ : statement_queue_;
  }
  // Returns the queue whose first waiter is given an answer now, or null if all have to wait.
  Queue* NextQueueLocked();
  // Notes that a waiter has left its queue.
  void OnDequeuedLocked(Waiter* waiter);
  std::vector<Grant> GrantLocked();
  void GiveBack(std::unique_ptr<Entry> entry, bool transactional);

  // Tells whether there is an idle connection that nobody in AwaitHandover is about to take.
  bool HasSpareLocked() const { return static_cast<int>(idle_.size()) > stranded_; }

  // These are in pool_connect.cc.
  absl::Status Connect(Entry* entry, const driver::Deadline& deadline);
  driver::Deadline AttemptDeadline(const driver::Deadline& deadline, TimePoint now) const;
  bool Works(Entry* entry, const driver::Deadline& deadline);
  void CloseBroken(Entry* entry);
  absl::Status ClaimAttempt(Entry* entry);
  void OnConnected(Entry* entry, uint64_t generation);
  // Waits for a connection that another lease gives back, for a lease whose own attempt found the
  // backend full. Returns `full` if none comes in time, or no other lease has one.
  absl::Status AwaitHandover(Entry* entry, const driver::Deadline& deadline, TimePoint now,
                             const absl::Status& full);
  absl::Status OnConnectFailed(Entry* entry, const absl::Status& why, TimePoint began,
                               bool cut_short);
  TimePoint ExpiryLocked(TimePoint now);
  // Returns the counter of the reason why a connection that is given back is closed, or null if it
  // is kept.
  int64_t PoolStats::*WhyClose(const Entry& entry, TimePoint now);
  // Returns the counter of the reason why an idle connection is to be closed, or null.
  int64_t PoolStats::*WhyStaleLocked(const Entry& entry, TimePoint now) const;
  bool MissingLocked(TimePoint now) const;
  bool NeedsMaintenanceLocked(TimePoint now) const;
  bool CloseOneStale(TimePoint now);

  driver::Driver* const driver_;
  const Options options_;
  const Clock& clock_;
  const int max_transactions_;
  // Stands before the connections, which it watches.
  CallMonitor monitor_;

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Entry>> idle_;  // the last one was used last
  int in_use_ = 0;
  int transactions_ = 0;
  // Leases in AwaitHandover.
  int stranded_ = 0;
  std::condition_variable given_back_;
  Queue statement_queue_;
  Queue transaction_queue_;
  // The last waiter that was served wanted a transaction.
  bool transaction_was_last_ = false;
  int waiting_ = 0;
  PoolStats counts_;
  std::vector<StuckCall> stuck_calls_;
  Backoff backoff_;
  std::minstd_rand random_;

  // Counts the connections that were found broken.
  std::atomic<uint64_t> generation_{0};
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_POOL_POOL_H_
