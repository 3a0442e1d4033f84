// The connections of one database (one lane of it, where reads and writes go
// to different connections).
#ifndef PENSTOCK_SERVER_POOL_POOL_H_
#define PENSTOCK_SERVER_POOL_POOL_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "server/runtime/clock.h"

namespace penstock::server {

class Pool;

// The right to use one connection, given back when destroyed. Movable; used by
// one thread at a time. Connect, Release and the destructor may block and
// belong on an executor's thread.
class Lease {
 public:
  Lease() = default;
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() { Release(); }

  explicit operator bool() const { return pool_ != nullptr; }

  // Opens the connection, or checks one that was idle for long. To be called,
  // and to succeed, before the connection is used.
  absl::Status Connect(const driver::Deadline& deadline);

  // Connected leases only.
  driver::Connection* operator->() const { return entry_->connection.get(); }

  // Gives the connection back: made clean, or closed if that fails.
  void Release();

 private:
  friend class Pool;
  struct Entry {
    std::unique_ptr<driver::Connection> connection;
    TimePoint expires = TimePoint::max();
    TimePoint idle_since;
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
  int64_t max_idle_closed = 0;
  int64_t max_lifetime_closed = 0;
};

// Hands out leases, first come first served, without ever blocking: who has to
// wait is called back. Thread-safe.
//
// A part of the pool (a fifth, at least one connection of two or more) is kept
// from transactions, so that open transactions cannot starve single statements.
class Pool {
 public:
  struct Options {
    driver::Lane lane = driver::Lane::kWrite;
    int max_open = 1;
    int max_idle = 1;
    Duration max_lifetime{};   // 0: none
    Duration max_idle_time{};  // 0: none
    int max_waiters = 1000;
    // Keep a share from transactions.
    bool reserve_for_statements = true;
    // Ping a connection that was idle for longer before use; 0: never.
    Duration check_after_idle{};
  };

  // Who wants a connection. It stays alive until OnLease was called or Forget
  // returned true.
  class Waiter {
   public:
    // A lease that is not connected yet, or why there is none (kQueueFull, or
    // the waiter's deadline). Called from Acquire, or later from whichever
    // thread gives a connection back or ticks: it must not block.
    virtual void OnLease(absl::StatusOr<Lease> lease) = 0;

    // Set before Acquire.
    driver::Deadline wait_until;
    bool transactional = false;

   protected:
    ~Waiter() = default;

   private:
    friend class Pool;
    Waiter* previous_ = nullptr;
    Waiter* next_ = nullptr;
    bool queued_ = false;
    uint64_t sequence_ = 0;
    TimePoint since_;
  };

  // The driver outlives the pool.
  Pool(driver::Driver* driver, const Options& options, const Clock& clock = Clock::System());
  // Every lease has been given back.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void Acquire(Waiter* waiter);

  // Takes a waiter out of the queue. False: it is not there, OnLease was or is
  // being called.
  bool Forget(Waiter* waiter);

  // Somebody waits for a connection.
  bool contended() const;

  // Refuses waiters whose time is up; closes idle connections that are too old.
  void Tick(TimePoint now);

  PoolStats Stats() const;
  const Options& options() const { return options_; }

 private:
  friend class Lease;
  using Entry = Lease::Entry;

  struct Queue {
    Waiter* first = nullptr;
    Waiter* last = nullptr;
    void Append(Waiter* waiter);
    void Remove(Waiter* waiter);
  };
  struct Grant {
    Waiter* waiter;
    absl::StatusOr<Lease> lease;
  };

  bool MayGrantLocked(bool transactional) const;
  Lease MakeLeaseLocked(bool transactional);
  Waiter* NextWaiterLocked();
  void DequeueLocked(Waiter* waiter);
  std::vector<Grant> GrantLocked();
  absl::Status Connect(Entry* entry, const driver::Deadline& deadline);
  void GiveBack(std::unique_ptr<Entry> entry, bool transactional);
  TimePoint ExpiryFor(TimePoint now);

  driver::Driver* const driver_;
  const Options options_;
  const Clock& clock_;
  const int max_transactions_;

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Entry>> idle_;  // the last one was used last
  int in_use_ = 0;
  int transactions_ = 0;
  Queue statement_queue_;
  Queue transaction_queue_;
  int waiting_ = 0;
  uint64_t next_sequence_ = 0;
  PoolStats counts_;
  std::minstd_rand random_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_POOL_POOL_H_
