#include "client/src/stream.h"

#include <algorithm>

#include "absl/time/clock.h"

namespace penstock::internal {

StreamBase::StreamBase(std::shared_ptr<Channel> channel, const Context& opener)
    : channel_(std::move(channel)), provider_scope_(channel_->open, &call_) {
  channel_->SetUp(opener, &call_);
}

StreamBase::~StreamBase() {
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

void StreamBase::AwaitAny() {
  void* tag = nullptr;
  bool ok = false;
  if (limit_.has_value() && !gave_up_ && limit_->ctx.deadline() != absl::InfiniteFuture()) {
    if (queue_.AsyncNext(&tag, &ok, ToDeadline(GiveUpTime(limit_->ctx))) !=
        grpc::CompletionQueue::TIMEOUT) {
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
  while (queue_.AsyncNext(&tag, &ok, std::chrono::system_clock::time_point()) ==
         grpc::CompletionQueue::GOT_EVENT) {
    Note(tag, ok);
  }
}

absl::Status StreamBase::Explain(const absl::Status& end) const {
  return channel_->Explain(end, limit_.has_value() ? limit_->ctx : Context(), gave_up_);
}

}  // namespace penstock::internal
