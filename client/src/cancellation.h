// What is behind a Context.
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

// The cancellation that a Context shares with its copies. Thread-safe.
class Cancellation {
 public:
  Cancellation() = default;
  // Cancelled with `parent`, which is not null.
  explicit Cancellation(std::shared_ptr<Cancellation> parent);
  ~Cancellation();
  Cancellation(const Cancellation&) = delete;
  Cancellation& operator=(const Cancellation&) = delete;

  void Cancel();
  bool cancelled() const;
  // Waits until `time`, or until it is cancelled: true.
  bool WaitUntil(absl::Time time) const;

 private:
  friend class CancelScope;
  using Calls = std::list<grpc::ClientContext*>;

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool cancelled_ = false;
  Calls calls_;
  // Locked before its children.
  const std::shared_ptr<Cancellation> parent_;
  std::list<Cancellation*> children_;
  std::list<Cancellation*>::iterator place_;
};

// As long as it lives, cancelling `ctx` cancels `call`; at once if that has
// happened already.
class CancelScope {
 public:
  CancelScope(const Context& ctx, grpc::ClientContext* call);
  ~CancelScope();
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;

 private:
  // Keeps the cancellation alive.
  const Context ctx_;
  Cancellation::Calls::iterator entry_;
};

// How much later than its deadline a call gives up on a daemon that does not
// answer: the daemon's own answer says more and should win.
inline constexpr absl::Duration kDeadlineGrace = absl::Milliseconds(200);

// When a call gives up: its deadline and the grace. InfiniteFuture without one.
inline absl::Time GiveUpTime(const Context& ctx) { return ctx.deadline() + kDeadlineGrace; }

// For gRPC, of a time that is not infinite.
inline std::chrono::system_clock::time_point ToDeadline(absl::Time time) {
  return absl::ToChronoTime(time);
}

// The error of a call that need not begin, because `ctx` is cancelled or its
// deadline has passed; else OK.
absl::Status CheckBeforeCall(const Context& ctx);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_CANCELLATION_H_
