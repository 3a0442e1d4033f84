#include "client/src/stream.h"

#include <algorithm>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/time/clock.h"

namespace penstock::internal {

namespace {

// How often a waiting thread checks whether it was cancelled.
constexpr absl::Duration kLook = absl::Milliseconds(500);
// How long a cancelled operation may take to fail before the stream is abandoned. gRPC needs far
// less unless the connection is stuck.
constexpr absl::Duration kCancelTime = absl::Seconds(1);

}  // namespace

void StreamBase::Parts::Drain() {
  queue.Shutdown();
  void* tag = nullptr;
  for (bool ok = false; queue.Next(&tag, &ok);) {
  }
}

StreamBase::StreamBase(std::unique_ptr<Parts> parts, std::shared_ptr<Channel> channel,
                       const Connection& connection, const Context& opener, absl::Time deadline)
    : channel_(std::move(channel)),
      parts_(std::move(parts)),
      connection_(&connection),
      token_(channel_->SetUp(opener, &parts_->call)),
      provider_scope_(std::in_place, channel_->open, &parts_->call) {
  if (deadline != absl::InfiniteFuture()) parts_->call.set_deadline(ToDeadline(deadline));
}

StreamBase::~StreamBase() {
  if (channel_->forked()) {
    // Not destroyed: see Channel::forked.
    [[maybe_unused]] const Parts* left = parts_.release();
  } else if (abandoned_) {
    // These would cancel a call that the thread below may have destroyed.
    provider_scope_.reset();
    limit_.reset();
    outer_.reset();
    Parts* const left = parts_.release();
    try {
      // The deletion waits until the peer reads again or the connection ends.
      std::thread([left] { delete left; }).detach();
    } catch (const std::system_error&) {
      // No thread could be started. The memory must stay, because gRPC may still write to it.
      [[maybe_unused]] const Parts* stays = left;
    }
  }
}

void StreamBase::Enter(const Context& ctx) { limit_.emplace(ctx, &parts_->call); }

void* StreamBase::Begin(Operation operation) {
  parts_->state[operation] = {.pending = true, .ok = false};
  return &parts_->state[operation];
}

void StreamBase::Note(void* tag, bool ok) {
  *static_cast<State*>(tag) = {.pending = false, .ok = ok};
}

absl::Time StreamBase::GiveUp() const {
  absl::Time time = absl::InfiniteFuture();
  if (limit_.has_value()) time = GiveUpTime(limit_->ctx);
  return outer_.has_value() ? std::min(time, GiveUpTime(outer_->ctx)) : time;
}

bool StreamBase::cancelled() const {
  return channel_->open.cancelled() || (limit_.has_value() && limit_->ctx.cancelled()) ||
         (outer_.has_value() && outer_->ctx.cancelled());
}

void StreamBase::CancelCall() {
  if (!cancelled_at_.has_value()) cancelled_at_ = absl::Now();
  parts_->call.TryCancel();
}

void StreamBase::GiveUpOrAbandon(absl::Time now) {
  if (!gave_up_ && now >= GiveUp()) {
    // The daemon does not answer in time. Cancelling the call completes every operation.
    gave_up_ = true;
    CancelCall();
  } else if (!cancelled_at_.has_value()) {
    if (cancelled()) cancelled_at_ = now;
  } else if (now - *cancelled_at_ >= kCancelTime) {
    abandoned_ = true;
    channel_->Avoid(*connection_);
  }
}

void StreamBase::AwaitAny() {
  void* tag = nullptr;
  bool ok = false;
  while (!abandoned_) {
    absl::Time look = absl::Now() + kLook;
    if (!gave_up_) look = std::min(look, GiveUp());
    if (parts_->queue.AsyncNext(&tag, &ok, ToDeadline(look)) != grpc::CompletionQueue::TIMEOUT) {
      Note(tag, ok);
      return;
    }
    GiveUpOrAbandon(absl::Now());
  }
}

bool StreamBase::Await(Operation operation) {
  while (pending(operation)) AwaitAny();
  return !abandoned_ && parts_->state[operation].ok;
}

void StreamBase::Poll() {
  void* tag = nullptr;
  bool ok = false;
  // A deadline in the past polls the socket once and does not wait.
  for (int look = 0; look < kLooks; ++look) {
    while (parts_->queue.AsyncNext(&tag, &ok, std::chrono::system_clock::time_point()) ==
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
