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
  for (Listener* listener = first_; listener != nullptr; listener = listener->next_) {
    listener->OnCancel();
  }
}

absl::Status Cancellation::status() const {
  std::lock_guard lock(mutex_);
  return why_;
}

void Cancellation::Add(Listener* listener) {
  std::lock_guard lock(mutex_);
  listener->previous_ = nullptr;
  listener->next_ = first_;
  if (first_ != nullptr) first_->previous_ = listener;
  first_ = listener;
  if (cancelled_.load(std::memory_order_relaxed)) listener->OnCancel();
}

void Cancellation::Remove(Listener* listener) {
  std::lock_guard lock(mutex_);
  if (listener->next_ != nullptr) listener->next_->previous_ = listener->previous_;
  (listener->previous_ != nullptr ? listener->previous_->next_ : first_) = listener->next_;
}

void Cancellation::Reset() {
  std::lock_guard lock(mutex_);
  cancelled_.store(false, std::memory_order_relaxed);
  why_ = absl::OkStatus();
}

}  // namespace penstock::driver
