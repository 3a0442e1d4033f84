// When a statement must end, and how it learns that nobody wants it any more.
#ifndef PENSTOCK_DRIVERS_API_DEADLINE_H_
#define PENSTOCK_DRIVERS_API_DEADLINE_H_

#include <atomic>
#include <chrono>
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

// Tells running statements that they are no longer wanted. One per request or
// stream, owned by it and alive until its statements have ended. Thread-safe.
//
// An embedded backend polls cancelled() while it works. A backend that waits
// on a socket adds a listener for the time its statement runs.
class Cancellation {
 public:
  // Who is told of a cancel. It stays alive while it is added.
  class Listener {
   public:
    // Called once from the thread that cancels, under the lock that Add and
    // Remove take: it must not block nor call back into the Cancellation.
    virtual void OnCancel() = 0;

   protected:
    ~Listener() = default;

   private:
    friend class Cancellation;
    Listener* previous_ = nullptr;
    Listener* next_ = nullptr;
  };

  // Marks the request as cancelled, with the error its statements are to end
  // with, and calls the listeners. Later calls have no effect.
  void Cancel(absl::Status why);

  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }

  // The error given to Cancel; OK when not cancelled.
  absl::Status status() const;

  // A listener is called at once if the cancel has happened already. Once
  // Remove has returned it is not called any more.
  void Add(Listener* listener);
  void Remove(Listener* listener);

  // Ready for the next request. Nobody else may use the object meanwhile.
  void Reset();

 private:
  std::atomic<bool> cancelled_{false};
  mutable std::mutex mutex_;
  absl::Status why_;
  Listener* first_ = nullptr;
};

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_DEADLINE_H_
