// A clock that a test moves by hand.
#ifndef PENSTOCK_TESTS_UNIT_SERVER_FAKE_CLOCK_H_
#define PENSTOCK_TESTS_UNIT_SERVER_FAKE_CLOCK_H_

#include <atomic>

#include "server/runtime/clock.h"

namespace penstock::server {

class FakeClock final : public Clock {
 public:
  TimePoint Now() const override { return TimePoint(Duration(now_.load())); }
  void Advance(Duration by) { now_.fetch_add(by.count()); }

 private:
  std::atomic<Duration::rep> now_{Duration(std::chrono::hours(1)).count()};
};

}  // namespace penstock::server

#endif  // PENSTOCK_TESTS_UNIT_SERVER_FAKE_CLOCK_H_
