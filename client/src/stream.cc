#include "client/src/stream.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace penstock::internal {

StreamBase::StreamBase(std::shared_ptr<Channel> channel, const Context& opener, absl::Time deadline)
    : channel_(std::move(channel)), provider_scope_(channel_->open, &call_) {
  if (deadline != absl::InfiniteFuture()) call_.set_deadline(ToDeadline(deadline));
  channel_->SetUp(opener, &call_);
}

StreamBase::~StreamBase() {
  if (channel_->forked()) return;
  queue_.Shutdown();
  void* tag = nullptr;
  for (bool ok = false; queue_.Next(&tag, &ok);) {
  }
}

void StreamBase::Enter(const Context& ctx) { limit_.emplace(ctx, &call_); }

void* StreamBase::Begin(Operation operation) {
  state_[operation] = {.pending = true, .ok = false};
  return &state_[operation];
}

void StreamBase::Note(void* tag, bool ok) {
  *static_cast<State*>(tag) = {.pending = false, .ok = ok};
}

absl::Time StreamBase::GiveUp() const {
  absl::Time time = absl::InfiniteFuture();
  if (limit_.has_value()) time = GiveUpTime(limit_->ctx);
  return outer_.has_value() ? std::min(time, GiveUpTime(outer_->ctx)) : time;
}

void StreamBase::AwaitAny() {
  void* tag = nullptr;
  bool ok = false;
  if (const absl::Time time = GiveUp(); !gave_up_ && time != absl::InfiniteFuture()) {
    if (queue_.AsyncNext(&tag, &ok, ToDeadline(time)) != grpc::CompletionQueue::TIMEOUT) {
      Note(tag, ok);
      return;
    }
    // The daemon does not answer. Cancelling completes every operation.
    gave_up_ = true;
    call_.TryCancel();
  }
  if (queue_.Next(&tag, &ok)) Note(tag, ok);
}

bool StreamBase::Await(Operation operation) {
  while (state_[operation].pending) AwaitAny();
  return state_[operation].ok;
}

void StreamBase::Poll() {
  void* tag = nullptr;
  bool ok = false;
  // A deadline in the past looks at the socket once and does not wait.
  for (int look = 0; look < kLooks; ++look) {
    while (queue_.AsyncNext(&tag, &ok, std::chrono::system_clock::time_point()) ==
           grpc::CompletionQueue::GOT_EVENT) {
      Note(tag, ok);
    }
  }
}

absl::Status StreamBase::Explain(const absl::Status& end) const {
  const bool by_outer = outer_.has_value() && outer_->ctx.cancelled();
  const std::optional<Limit>& limit = by_outer ? outer_ : limit_;
  return channel_->Explain(end, limit.has_value() ? limit->ctx : Context(), gave_up_);
}

}  // namespace penstock::internal
