// The cancellation of a Context, and how it reaches what runs within it.
#ifndef PENSTOCK_CLIENT_SRC_CANCELLATION_H_
#define PENSTOCK_CLIENT_SRC_CANCELLATION_H_

#include <chrono>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "penstock/context.h"

namespace grpc {
class ClientContext;
}  // namespace grpc

namespace penstock::internal {

class Listening;

// Something that runs within a Context and is to hear of its cancellation.
class Cancellable {
 public:
  Cancellable() = default;
  Cancellable(const Cancellable&) = delete;
  Cancellable& operator=(const Cancellable&) = delete;

  // Called when the context is cancelled, under a lock of the cancellation: must not block, run
  // code of the user, or make or destroy a Listening.
  virtual void Cancelled() = 0;

 protected:
  ~Cancellable() = default;
};

// The cancellation that a Context shares with its copies. Thread-safe.
class Cancellation {
 public:
  Cancellation() = default;
  // Is cancelled together with `parent`, which must not be null.
  explicit Cancellation(std::shared_ptr<Cancellation> parent);
  ~Cancellation();
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  void Cancel();
  bool cancelled() const;
  // Waits until `time`, or until it is cancelled; returns true in the second case.
  bool WaitUntil(absl::Time time) const;

 private:
  friend class Listening;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool cancelled_ = false;
  // The first of a list; a call joins and leaves it without allocating.
  Listening* first_ = nullptr;
  // A parent's mutex is locked before those of its children.
  const std::shared_ptr<Cancellation> parent_;
  std::list<Cancellation*> children_;
  std::list<Cancellation*>::iterator place_;
};

// While this exists, cancelling `ctx` calls Cancelled of `what`. If `ctx` is cancelled already, the
// constructor does so. `ctx` is kept by reference and must outlive this.
class Listening {
 public:
  Listening(const Context& ctx, Cancellable* what);
  ~Listening();
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

 private:
  friend class Cancellation;

  const Context& ctx_;
  Cancellable* const what_;
  Listening* previous_ = nullptr;
  Listening* next_ = nullptr;
};

// While this exists, cancelling `ctx` cancels `call`. If `ctx` is cancelled already, the
// constructor cancels the call.
class CancelScope final : private Cancellable {
 public:
  CancelScope(const Context& ctx, grpc::ClientContext* call);

 private:
  void Cancelled() override;

  // Keeps the cancellation alive.
  const Context ctx_;
  grpc::ClientContext* const call_;
  const Listening listening_;
};

// How long after its deadline a call gives up on a daemon that does not answer. The daemon's own
// answer says more, so it gets this much time to arrive.
inline constexpr absl::Duration kDeadlineGrace = absl::Milliseconds(200);

// Returns when a call gives up: its deadline and the grace; InfiniteFuture without a deadline.
inline absl::Time GiveUpTime(const Context& ctx) { return ctx.deadline() + kDeadlineGrace; }

// Converts a finite time for gRPC.
inline std::chrono::system_clock::time_point ToDeadline(absl::Time time) {
  return absl::ToChronoTime(time);
}

// Returns the error of a call that must not begin because `ctx` is cancelled or its deadline has
// passed, or OK.
absl::Status CheckBeforeCall(const Context& ctx);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_CANCELLATION_H_
