#include "drivers/api/deadline.h"

#include <string_view>
#include <utility>

namespace penstock::driver {
namespace {

std::string_view RungText(Reason reason) {
  switch (reason) {
    case Reason::kRequestTimeout: return "the timeout of the request passed";
    case Reason::kCallDeadline: return "the deadline of the call passed";
    case Reason::kQueryTimeout: return "the query_timeout of the database passed";
    case Reason::kAcquireTimeout:
      return "no connection became free within the acquire_timeout of the database";
    case Reason::kConnectionFailed:
      return "the backend did not answer within the connect_timeout of the database";
    case Reason::kTransactionIdleTimeout:
      return "the transaction was idle for longer than its limit and was rolled back";
    case Reason::kTransactionTimeout:
      return "the transaction was open for longer than its limit and was rolled back";
    case Reason::kStallTimeout:
      return "the result was not read for longer than the stall_timeout of the server";
    default: return "a time limit passed";
  }
}

}  // namespace

absl::Status Deadline::Error() const {
  const Reason why = reason == Reason::kUnspecified ? Reason::kRequestTimeout : reason;
  return MakeError(why, RungText(why));
}

void Cancellation::Cancel(absl::Status why) {
  std::lock_guard lock(mutex_);
  if (cancelled_.load(std::memory_order_relaxed)) return;
  why_ = std::move(why);
  cancelled_.store(true, std::memory_order_release);
  if (waker_) waker_();
}

absl::Status Cancellation::status() const {
  std::lock_guard lock(mutex_);
  return why_;
}

void Cancellation::SetWaker(std::function<void()> waker) {
  std::lock_guard lock(mutex_);
  waker_ = std::move(waker);
  if (waker_ && cancelled_.load(std::memory_order_relaxed)) waker_();
}

void Cancellation::ClearWaker() {
  std::lock_guard lock(mutex_);
  waker_ = nullptr;
}

void Cancellation::Reset() {
  std::lock_guard lock(mutex_);
  cancelled_.store(false, std::memory_order_relaxed);
  why_ = absl::OkStatus();
  waker_ = nullptr;
}

}  // namespace penstock::driver
