// Calls into a driver that do not come back although nobody waits for them any more.
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
  // How long ago the last of those who wait for it gave up.
  Duration over_for{};
  bool came_back = false;
  // Of the first statement of the call; empty for what is no statement.
  std::string sql;
  // How many statements it has.
  size_t statements = 0;
};

// A driver looks at deadline and cancellation while it works, but it cannot while a
// function of a library computes, or the system waits for a disk. So the calls into a
// pool's connections are watched from outside: one that goes on for `patience` after
// each of those who wait for it has given up is stuck, until it comes back. Thread-safe.
class CallMonitor {
 public:
  // The calls of one connection, by one thread at a time.
  class Watch {
   public:
    explicit Watch(CallMonitor* monitor);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    // Around a call. What is passed stays as it is meanwhile; no pointer to it is used
    // any more when End has returned.
    void Begin(std::span<driver::StatementRun* const> runs);
    void Begin(const driver::Deadline& deadline, const driver::Cancellation* cancellation);
    void End();

    // A transaction of a client's is open on the connection.
    void set_transactional(bool transactional) { transactional_ = transactional; }

   private:
    friend class CallMonitor;

    // With the monitor's lock: notes whether it has become stuck.
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
    // Since when nobody waits for the call that is stuck.
    TimePoint stuck_since_;
    // For Look: the call that it has seen, and since when nobody waits for that.
    uint64_t seen_ = 0;
    TimePoint over_since_ = TimePoint::max();
  };

  CallMonitor(Duration patience, const Clock& clock) : patience_(patience), clock_(clock) {}

  // Looks at every connection; never blocks. Returns the calls that have become stuck,
  // or come back, since the last time.
  std::vector<StuckCall> Tick(TimePoint now);

  // Calls that are stuck now, those in a client's transaction among them.
  int stuck() const { return stuck_.load(std::memory_order_relaxed); }
  int stuck_transactions() const { return stuck_transactions_.load(std::memory_order_relaxed); }
  // How many have become so.
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
