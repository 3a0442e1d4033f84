// How calls end that a PipeLoop has taken: with an answer, with what is known if there is none, or
// not yet, because they are repeated.
//
// A call gives up by itself when its time has come (Look), whatever gRPC does. If its message had
// left, that is all; the daemon is told, and its late answer is dropped. If the message is in the
// outstanding write, nobody can tell whether it leaves. The connection then takes no bytes, or
// there is none yet, so the stream is cancelled: gRPC fails the write unless it has handed the
// message over as a whole. If even that does not end in time, the stream is abandoned: its calls
// are told what is known, and it stays until gRPC lets go of it.
//
// What a call that was not answered may be told, and whether it is repeated, is for Settle and
// AfterRefusal to say, as for any other call; see Channel::Call.
#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "client/src/pipe_loop.h"
#include "client/src/status.h"

namespace penstock::internal {

namespace {

// For how long a message may be on its way into the connection before the stream counts as stuck.
constexpr absl::Duration kStall = absl::Milliseconds(200);
// Limits in time are looked at this often at most.
constexpr absl::Duration kLookPause = absl::Milliseconds(10);
// See Channel::MayGoAgain.
constexpr int kRoundsForRoom = 4;
constexpr absl::Duration kPauseForRoom = absl::Milliseconds(10);

}  // namespace

absl::Status PipeLoop::Closed() {
  return absl::FailedPreconditionError("the provider has been closed");
}

absl::Status PipeLoop::Lacking() {
  return Refusal(absl::StatusCode::kUnimplemented,
                 "the daemon does not know DatabaseService.Pipeline, which asynchronous calls need",
                 "UNSUPPORTED", "update the daemon, or use the calls that block");
}

void PipeLoop::OnOver(Lock& lock, const std::shared_ptr<PipeStream>& stream) {
  std::vector<Delivery> cut_off;
  if (!stream->abandoned) CutOffCalls(stream.get(), &cut_off);
  std::erase(streams_, stream);
  for (Lane& lane : lanes_) {
    if (lane.stream == stream) lane.stream = nullptr;
  }
  Deliver(lock, std::move(cut_off));
}

absl::Status PipeLoop::Cause(const PipeCall& call) const {
  if (closed_) return Closed();
  return call.cancelled_ ? CancelledByCaller() : CallDeadlinePassed();
}

void PipeLoop::CutOffCalls(PipeStream* stream, std::vector<Delivery>* out) {
  absl::Status end = stream->abandoned ? absl::OkStatus() : ToStatus(stream->end());
  const bool lacking =
      !stream->established && absl::IsUnimplemented(end) && !HasDetail(end) && !stream->abandoned;
  if (lacking) {
    stream->connection()->lacks_pipeline = true;
    end = Lacking();
  } else if (stream->malformed) {
    end = ProtocolError("a message of a Pipeline stream does not parse");
  } else if (stream->cancelled_at() != absl::InfiniteFuture() && !HasDetail(end)) {
    end = absl::UnavailableError("the connection takes no bytes");
  } else if (absl::IsCancelled(end) && !HasDetail(end)) {
    end = CutOff();
  } else if (end.ok()) {
    end = NotTaken();
  }
  for (PipeStream::Slot& slot : stream->slots) {
    if (slot.call == nullptr) continue;
    std::shared_ptr<PipeCall> call = std::move(slot.call);
    const Reach reach = !stream->Sent(slot.message) ? Reach::kNotSent
                        : call->request_.writes     ? Reach::kMaybeSent
                                                    : Reach::kHarmless;
    Leave(call.get());
    Delivery delivery{.lacking = lacking,
                      .established = stream->established,
                      .was_new = stream->was_new(),
                      .connection = stream->connection()};
    const bool own = call->gave_up_ || closed_;
    delivery.end = Settle(own ? Cause(*call) : end, reach, &delivery.again);
    if (own) {
      delivery.again = Again::kNo;
      delivery.lacking = false;
    }
    delivery.call = std::move(call);
    out->push_back(std::move(delivery));
  }
}

bool PipeLoop::MayRepeat(Delivery* delivery) {
  PipeCall& call = *delivery->call;
  if (delivery->again == Again::kNo || call.answered_ || call.gave_up_ ||
      !channel_->CheckQuery(call.ctx_).ok()) {
    return false;
  }
  Lock lock(mutex_);
  if (closed_) return false;
  if (delivery->again == Again::kWithRoom) {
    if (++call.rounds_ >= kRoundsForRoom) return false;
    lock.unlock();
    channel_->EndIdle();
    lock.lock();
    call.pause_end_ = absl::Now() + call.rounds_ * kPauseForRoom;
    call.place_ = PipeCall::Place::kPause;
    ++live_;
    paused_.push_back(delivery->call);
    LookAt(call.pause_end_);
    NeedThread();
    return true;
  }
  if (delivery->established && call.stale_rounds_ == 0) {
    // The stream was one that had been kept.
    ++call.stale_rounds_;
  } else {
    if (delivery->again == Again::kElsewhere && delivery->was_new) return false;
    if (call.rounds_++ > 0) return false;
    LaneOf(call).avoid = delivery->connection;
  }
  Enqueue(delivery->call);
  return true;
}

void PipeLoop::Deliver(Lock& lock, std::vector<Delivery> deliveries) {
  if (deliveries.empty()) return;
  const bool own = IsOwnThread();
  if (own) delivering_ = true;
  lock.unlock();
  for (Delivery& delivery : deliveries) {
    if (MayRepeat(&delivery)) continue;
    PipeCall& call = *delivery.call;
    if (!delivery.more) call.listening_.reset();
    if (delivery.end.ok()) {
      call.OnAnswer(std::move(delivery.answer), delivery.more);
    } else {
      call.OnEnd(std::move(delivery.end), delivery.lacking);
    }
  }
  deliveries.clear();
  lock.lock();
  if (own) delivering_ = false;
}

void PipeLoop::GiveUp(PipeCall* call, absl::Time now, std::vector<Delivery>* out) {
  const auto tell = [&](std::shared_ptr<PipeCall> kept, Reach reach) {
    Leave(call);
    out->push_back({.call = std::move(kept), .end = Settle(Cause(*call), reach)});
  };
  if (call->place_ != PipeCall::Place::kStream) {
    std::shared_ptr<PipeCall> kept = call->shared_from_this();
    Unqueue(call);
    return tell(std::move(kept), Reach::kNotSent);
  }
  PipeStream& stream = *call->stream_;
  PipeStream::Slot& slot = *stream.Find(call->id_);
  if (stream.Sent(slot.message)) {
    stream.cancels.push_back(call->id_);
    return tell(std::move(slot.call), call->request_.writes ? Reach::kMaybeSent : Reach::kHarmless);
  }
  if (stream.established && !closed_ && now - stream.write_began() < kStall) {
    call->give_up_ = stream.write_began() + kStall;
    return;
  }
  call->gave_up_ = true;
  call->give_up_ = absl::InfiniteFuture();
  stream.Cancel(now);
}

void PipeLoop::Look(Lock& lock) {
  const absl::Time now = absl::Now();
  std::vector<std::shared_ptr<PipeCall>> cancelled = std::exchange(cancelled_, {});
  for (const std::shared_ptr<PipeCall>& call : cancelled) {
    if (call->place_ == PipeCall::Place::kNone) continue;
    const bool sent = call->place_ == PipeCall::Place::kStream;
    if (sent) call->stream_->cancels.push_back(call->id_);
    call->give_up_ = std::min(call->give_up_, sent ? now + kCancelTime : now);
  }
  for (size_t i = 0; i < paused_.size();) {
    if (paused_[i]->pause_end_ > now) {
      ++i;
      continue;
    }
    std::shared_ptr<PipeCall> call = std::move(paused_[i]);
    paused_.erase(paused_.begin() + static_cast<std::ptrdiff_t>(i));
    --live_;
    Enqueue(std::move(call));
  }

  std::vector<PipeCall*> due;
  const auto look_at = [&](const std::shared_ptr<PipeCall>& call) {
    if (closed_ ? !call->gave_up_ : call->give_up_ <= now) due.push_back(call.get());
  };
  for (const Lane& lane : lanes_) std::for_each(lane.queue.begin(), lane.queue.end(), look_at);
  std::for_each(paused_.begin(), paused_.end(), look_at);
  for (const std::shared_ptr<PipeStream>& stream : streams_) {
    for (const PipeStream::Slot& slot : stream->slots) {
      if (slot.call != nullptr) look_at(slot.call);
    }
  }
  std::vector<Delivery> deliveries;
  for (PipeCall* call : due) GiveUp(call, now, &deliveries);

  for (const std::shared_ptr<PipeStream>& stream : streams_) {
    const bool unused = stream->taken() == 0;
    if (closed_ || (unused && stream->retired) ||
        (unused && now - stream->idle_since >= kIdleAge)) {
      stream->Cancel(now);
    }
    // Somebody has to see it end.
    if (stream->cancelled_at() != absl::InfiniteFuture() && poller_ == Poller::kNobody)
      NeedThread();
    if (now - stream->cancelled_at() >= kCancelTime && !stream->abandoned) {
      stream->abandoned = true;
      CutOffCalls(stream.get(), &deliveries);
      channel_->Avoid(*stream->connection());
    }
  }

  next_look_ = absl::InfiniteFuture();
  const auto next = [&](absl::Time time) { next_look_ = std::min(next_look_, time); };
  for (const Lane& lane : lanes_) {
    for (const std::shared_ptr<PipeCall>& call : lane.queue) next(call->give_up_);
  }
  for (const std::shared_ptr<PipeCall>& call : paused_) {
    next(std::min(call->give_up_, call->pause_end_));
  }
  for (const std::shared_ptr<PipeStream>& stream : streams_) {
    for (const PipeStream::Slot& slot : stream->slots) {
      if (slot.call != nullptr) next(slot.call->give_up_);
    }
    if (stream->abandoned) continue;
    next(stream->cancelled_at() + kCancelTime);
    if (stream->taken() == 0) next(stream->idle_since + kIdleAge);
  }
  next_look_ = std::max(next_look_, now + kLookPause);
  Deliver(lock, std::move(deliveries));
  if (!cancelled.empty()) {
    // A call is not destroyed under the lock.
    lock.unlock();
    cancelled.clear();
    lock.lock();
  }
  FlushAll(lock);
}

}  // namespace penstock::internal
