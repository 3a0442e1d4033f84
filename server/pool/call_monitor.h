// Finds calls into a driver that do not come back although nobody waits for them any more.
#ifndef PENSTOCK_SERVER_POOL_CALL_MONITOR_H_
#define PENSTOCK_SERVER_POOL_CALL_MONITOR_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "drivers/api/driver.h"
#include "server/runtime/clock.h"

namespace penstock::server {

// A call that is stuck, or one that was and has come back.
struct StuckCall {
  // The time since the last caller gave up waiting.
  Duration over_for{};
  bool came_back = false;
  // The text of the call's first statement; empty if the call runs none.
  std::string sql;
  // The number of its statements.
  size_t statements = 0;
};

// A driver looks at deadline and cancellation while it works, but not while a library's function
// computes or the system waits for a disk. So the monitor watches the calls into a pool's
// connections from outside: a call that goes on for `patience` after every caller has given up is
// stuck, until it comes back. Thread-safe.
class CallMonitor {
 public:
  // Watches the calls of one connection, which one thread makes at a time.
  class Watch {
   public:
    explicit Watch(CallMonitor* monitor);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // Stand before and after a call. The arguments stay valid in between; the monitor uses no
    // pointer to them once End has returned.
    void Begin(std::span<driver::StatementRun* const> runs);
    void Begin(const driver::Deadline& deadline, const driver::Cancellation* cancellation);
    void End();

    // A client's transaction is open on the connection.
    void set_transactional(bool transactional) { transactional_ = transactional; }

   private:
    friend class CallMonitor;

    // Notes whether the call has become stuck. The caller holds the monitor's lock.
    void Look(TimePoint now);
    bool OverLocked(TimePoint now) const;
    StuckCall DescribeLocked(TimePoint now) const;

    CallMonitor* const monitor_;
    std::mutex mutex_;
    // Counts calls, so that Look knows one again without the hot path reading a clock.
    std::atomic<uint64_t> calls_{0};
    std::atomic<bool> running_{false};
    std::span<driver::StatementRun* const> runs_;
    driver::Deadline deadline_;
    const driver::Cancellation* cancellation_ = nullptr;
    bool transactional_ = false;
    bool stuck_ = false;
    // When the last caller of a stuck call gave up.
    TimePoint stuck_since_;
    // Look has seen the call of this number, for which nobody waits since `over_since_`.
    uint64_t seen_ = 0;
    TimePoint over_since_ = TimePoint::max();
  };

  CallMonitor(Duration patience, const Clock& clock) : patience_(patience), clock_(clock) {}

  // Looks at every connection; never blocks. Returns the calls that have become stuck or have come
  // back since the last time.
  std::vector<StuckCall> Tick(TimePoint now);

  // The calls that are stuck now, and those of them in a client's transaction.
  int stuck() const { return stuck_.load(std::memory_order_relaxed); }
  int stuck_transactions() const { return stuck_transactions_.load(std::memory_order_relaxed); }
  // The number of calls that were ever stuck.
  int64_t total() const { return total_.load(std::memory_order_relaxed); }

 private:
  const Duration patience_;
  const Clock& clock_;
  std::atomic<int> stuck_{0};
  std::atomic<int> stuck_transactions_{0};
  std::atomic<int64_t> total_{0};
  std::mutex mutex_;
  std::vector<Watch*> watches_;
  std::vector<StuckCall> news_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_POOL_CALL_MONITOR_H_
