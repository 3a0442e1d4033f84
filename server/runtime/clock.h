// Time as the server sees it.
#ifndef PENSTOCK_SERVER_RUNTIME_CLOCK_H_
#define PENSTOCK_SERVER_RUNTIME_CLOCK_H_

#include <chrono>

#include "drivers/api/deadline.h"

namespace penstock::server {

using driver::Duration;
using driver::TimePoint;

// A source of monotonic time, so that tests can move it by hand. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint Now() const = 0;

  // The real one.
  static const Clock& System();
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RUNTIME_CLOCK_H_
