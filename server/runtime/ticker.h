// The server's pulse.
#ifndef PENSTOCK_SERVER_RUNTIME_TICKER_H_
#define PENSTOCK_SERVER_RUNTIME_TICKER_H_

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "server/runtime/clock.h"

namespace penstock::server {

// Calls a function regularly on a thread of its own. Limits that are not exact
// to the millisecond (idle, stall, waiting) are looked at from here, so that a
// request does not arm and disarm a timer of its own.
class Ticker {
 public:
  // `tick` must not block for longer than the next one, and the end, may be late.
  Ticker(Duration period, std::function<void(TimePoint now)> tick);
  // Returns when the last call has ended.
  ~Ticker();
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable stop_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RUNTIME_TICKER_H_
