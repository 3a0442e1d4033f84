// When a statement must end, and how it learns that nobody wants it any more.
#ifndef PENSTOCK_DRIVERS_API_DEADLINE_H_
#define PENSTOCK_DRIVERS_API_DEADLINE_H_

#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>

#include "absl/status/status.h"
#include "drivers/api/error.h"

namespace penstock::driver {

using TimePoint = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

// A point in time and the limit it comes from: a rung of the ladder of request
// timeout, call deadline and the database's query_timeout.
struct Deadline {
  TimePoint at = TimePoint::max();
  Reason reason = Reason::kUnspecified;

  static Deadline None() { return {}; }
  bool passed(TimePoint now) const { return now >= at; }
  // Names the rung. DEADLINE_EXCEEDED, or UNAVAILABLE for the connect_timeout,
  // which is not the caller's.
  absl::Status Error() const;
};

inline const Deadline& Earlier(const Deadline& a, const Deadline& b) { return b.at < a.at ? b : a; }

// Tells a running statement that it is no longer wanted. One per request,
// owned by the request and alive until its statement has ended. Thread-safe.
//
// An embedded backend polls cancelled() while it works. A backend that waits
// on a socket registers a waker for the time its statement runs: Cancel calls
// it, under the lock that ClearWaker takes, so a cancel reaches the backend
// only while the request still owns the connection.
class Cancellation {
 public:
  // Marks the request as cancelled, with the error its statement is to end
  // with, and calls the waker if there is one. Later calls have no effect.
  void Cancel(absl::Status why);

  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }

  // The error given to Cancel; OK when not cancelled.
  absl::Status status() const;

  // `waker` is called from the thread that cancels, at once if it has
  // happened already. It must not block for long nor call back into this object.
  void SetWaker(std::function<void()> waker);
  void ClearWaker();

  // Ready for the next request. Nobody else may use the object meanwhile.
  void Reset();

 private:
  std::atomic<bool> cancelled_{false};
  mutable std::mutex mutex_;
  absl::Status why_;
  std::function<void()> waker_;
};

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_DEADLINE_H_
