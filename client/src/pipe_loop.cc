// How calls share streams.
//
// A call is in one place at a time: in the queue of its lane, paused before it is repeated, on a
// stream, or nowhere. Whoever takes it off its last place (Leave) tells it the outcome, so each
// call is told exactly one. That happens under no lock (Deliver), because a call runs code of the
// user.
//
// What is submitted while a write is outstanding gathers in the queue and leaves as one message
// when the write is done (Flush); nobody ever waits for a message to fill. Messages are put
// together, sent and read under no lock either: a stream has one write and one read outstanding, so
// whoever starts one has the right to do so alone.
//
// How calls end that are not answered is in pipe_outcome.cc.
#include "client/src/pipe_loop.h"

#include <sched.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "client/src/pipe_wire.h"
#include "client/src/status.h"
#include "penstock/internal/v1/database.pb.h"

namespace penstock::internal {

namespace {

// The result of a poll is believed for this long, as in Channel::Current.
constexpr absl::Duration kRecentLook = absl::Milliseconds(1);
// After so many calls in a row that were alone, the next one that is reads by itself.
constexpr int kAlone = 16;

}  // namespace

void Parking::Wait() {
  while (!TryWait()) state_.wait(0);
}

void Parking::Wake() {
  state_.store(1);
  state_.notify_one();
}

bool Parking::TryWait() {
  uint32_t woken = 1;
  return state_.compare_exchange_strong(woken, 0);
}

void PipeCall::Cancelled() { loop_->CallCancelled(this); }

PipeLoop::PipeLoop(std::shared_ptr<Channel> channel) : channel_(std::move(channel)) {
  listening_.emplace(channel_->open, static_cast<Cancellable*>(this));
}

PipeLoop::~PipeLoop() {
  alarm_.Cancel();
  queue_.Shutdown();
  void* tag = nullptr;
  for (bool ok = false; queue_.Next(&tag, &ok);) {
  }
}

void PipeLoop::Cancelled() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  LookAt(absl::Now());
}

void PipeLoop::CallCancelled(PipeCall* call) {
  // Null if the call is being destroyed, and so over.
  std::shared_ptr<PipeCall> kept = call->weak_from_this().lock();
  if (kept == nullptr) return;
  const std::lock_guard lock(mutex_);
  call->cancelled_ = true;
  cancelled_.push_back(std::move(kept));
  Attend();
}

size_t PipeLoop::SizeOf(const PipeRequest& request) {
  const size_t prepare = request.statement != nullptr ? request.statement->prepare.size() : 0;
  return std::max(request.bytes.size(), prepare);
}

bool PipeLoop::IsOwnThread() const { return thread_id_ == std::this_thread::get_id(); }

void PipeLoop::Enqueue(std::shared_ptr<PipeCall> call) {
  ++live_;
  call->place_ = PipeCall::Place::kQueue;
  if (call->cancelled_) cancelled_.push_back(call);
  if (closed_ || call->cancelled_) {
    LookAt(absl::Now());
  } else {
    LookAt(call->give_up_);
  }
  Lane& lane = LaneOf(*call);
  lane.queue.push_back(std::move(call));
}

void PipeLoop::Unqueue(PipeCall* call) {
  const auto is = [call](const std::shared_ptr<PipeCall>& each) { return each.get() == call; };
  if (call->place_ == PipeCall::Place::kQueue) std::erase_if(LaneOf(*call).queue, is);
  if (call->place_ == PipeCall::Place::kPause) std::erase_if(paused_, is);
}

void PipeLoop::Leave(PipeCall* call) {
  call->place_ = PipeCall::Place::kNone;
  call->stream_ = nullptr;
  --live_;
}

void PipeLoop::LookAt(absl::Time time) {
  if (time >= next_look_) return;
  next_look_ = time;
  Attend();
}

// Makes whoever waits for something look at the state again.
void PipeLoop::Attend() {
  if (in_queue_ && !kicking_) {
    kicking_ = true;
    alarm_.Set(&queue_, std::chrono::system_clock::now(), &alarm_);
  }
  wake_.notify_one();
}

void PipeLoop::StartThread() {
  if (std::exchange(started_, true)) return;
  thread_ = std::thread([self = shared_from_this()] { self->Run(); });
}

void PipeLoop::NeedThread() {
  alone_ = 0;
  StartThread();
  if (poller_ == Poller::kThread || need_thread_) return;
  need_thread_ = true;
  Attend();
}

void PipeLoop::Submit(std::shared_ptr<PipeCall> call) {
  call->Listen();
  Lock lock(mutex_);
  if (ended_) {
    lock.unlock();
    call->listening_.reset();
    Post([call] { call->OnEnd(Closed(), /*lacking=*/false); });
    return;
  }
  Lane& lane = LaneOf(*call);
  Enqueue(std::move(call));
  // What was submitted because of one message leaves together.
  if (delivering_ && IsOwnThread()) return;
  NeedThread();
  Flush(lock, lane);
}

void PipeLoop::SubmitBlocking(std::shared_ptr<PipeCall> call) {
  call->Listen();
  Lock lock(mutex_);
  const bool alone = live_ == 0 && !need_thread_;
  Lane& lane = LaneOf(*call);
  Enqueue(std::move(call));
  if (!alone) {
    NeedThread();
    if (live_ > 2) {
      // Others that were woken together with this caller have something to send as well.
      if (std::exchange(lane.gathering, true)) return;
      lock.unlock();
      sched_yield();
      lock.lock();
      lane.gathering = false;
    }
  } else if (poller_ == Poller::kThread) {
    ++alone_;
  } else if (poller_ == Poller::kNobody && lane.stream != nullptr &&
             absl::Now() - last_poll_ > kRecentLook) {
    // Nobody has read from the socket: the daemon may have gone.
    poller_ = Poller::kCaller;
    Event event;
    for (int look = 0; look < kLooks; ++look) {
      while (Turn(lock, absl::UnixEpoch(), &event)) {
        if (need_thread_) {
          handed_.push_back(event);
        } else {
          Handle(lock, event);
        }
      }
    }
    poller_ = Poller::kNobody;
    if (need_thread_) wake_.notify_one();
  }
  Flush(lock, lane);
}

void PipeLoop::Wait(Parking* parking) {
  if (parking->TryWait()) return;
  Lock lock(mutex_);
  bool woken = false;
  if (poller_ == Poller::kNobody && live_ == 1 && !need_thread_) {
    poller_ = Poller::kCaller;
    while (!(woken = parking->TryWait()) && !need_thread_) {
      Event event;
      if (Due(absl::Now())) {
        Look(lock);
      } else if (Turn(lock, next_look_, &event)) {
        if (need_thread_) {
          handed_.push_back(event);
        } else {
          Handle(lock, event);
        }
      }
    }
    poller_ = Poller::kNobody;
    if (waiting_ > 0) NeedThread();
    if (need_thread_) wake_.notify_one();
  } else if (poller_ == Poller::kNobody) {
    NeedThread();
  }
  if (woken) return;
  ++waiting_;
  lock.unlock();
  parking->Wait();
  --waiting_;
}

void PipeLoop::Next(PipeCall* call) {
  Lock lock(mutex_);
  if (call->place_ != PipeCall::Place::kStream) return;
  const std::shared_ptr<PipeStream> stream = Share(call->stream_);
  stream->nexts.push_back(call->id_);
  if (delivering_ && IsOwnThread()) return;
  Write(lock, nullptr, stream);
}

void PipeLoop::Drop(PipeCall* call) {
  if (channel_->forked()) return;
  Lock lock(mutex_);
  if (call->place_ == PipeCall::Place::kNone) return;
  if (call->place_ == PipeCall::Place::kStream) {
    const std::shared_ptr<PipeStream> stream = Share(call->stream_);
    std::shared_ptr<PipeCall> kept = std::move(stream->Find(call->id_)->call);
    stream->cancels.push_back(call->id_);
    Leave(call);
    if (!delivering_ || !IsOwnThread()) Write(lock, nullptr, stream);
    NeedThread();  // reads the answer
    lock.unlock();
    call->listening_.reset();
    return;
  }
  const std::shared_ptr<PipeCall> kept = call->shared_from_this();
  Unqueue(call);
  Leave(call);
  lock.unlock();
  call->listening_.reset();
}

void PipeLoop::Forget(uint32_t statement) {
  if (channel_->forked()) return;
  Lock lock(mutex_);
  const std::vector<std::shared_ptr<PipeStream>> streams = streams_;
  for (const std::shared_ptr<PipeStream>& stream : streams) {
    const auto found = stream->statements.find(statement);
    if (found == stream->statements.end()) continue;
    stream->bytes -= found->second;
    stream->statements.erase(found);
    stream->closes.push_back(statement);
    Write(lock, nullptr, stream);
    NeedThread();  // reads the answer
  }
}

void PipeLoop::Post(absl::AnyInvocable<void()> task) {
  const std::lock_guard lock(mutex_);
  if (ended_) {
    std::thread(std::move(task)).detach();
    return;
  }
  tasks_.push_back(std::move(task));
  StartThread();
  Attend();
}

void PipeLoop::EndIdle() {
  const absl::Time now = absl::Now();
  const std::lock_guard lock(mutex_);
  for (const std::shared_ptr<PipeStream>& stream : streams_) {
    if (stream->taken() == 0 && !stream->pending(PipeStream::kWrite)) stream->Cancel(now);
  }
  LookAt(now);
}

bool PipeLoop::Usable(const PipeStream& stream) const {
  return !stream.retired && channel_->Uses(*stream.connection()) &&
         channel_->IsCurrent(stream.token());
}

std::shared_ptr<PipeStream> PipeLoop::Share(PipeStream* stream) const {
  for (const std::shared_ptr<PipeStream>& each : streams_) {
    if (each.get() == stream) return each;
  }
  return nullptr;
}

bool PipeLoop::CanWrite(const PipeStream& stream) {
  return !stream.pending(PipeStream::kWrite) && !stream.failed &&
         stream.cancelled_at() == absl::InfiniteFuture();
}

bool PipeLoop::Open(Lock& lock, Lane& lane) {
  lane.opening = true;
  const std::shared_ptr<Connection> avoid = std::exchange(lane.avoid, nullptr);
  lock.unlock();
  const std::shared_ptr<Connection> connection =
      avoid != nullptr ? channel_->Renew(avoid) : channel_->Current();
  const bool was_new = !connection->used.exchange(true) || avoid != nullptr;
  std::shared_ptr<PipeStream> stream;
  if (!connection->lacks_pipeline) {
    stream = std::make_shared<PipeStream>(*channel_, connection, was_new, &queue_);
  }
  lock.lock();
  lane.opening = false;
  if (stream != nullptr) {
    lane.stream = std::move(stream);
    streams_.push_back(lane.stream);
    StartThread();
    return true;
  }
  std::vector<Delivery> lacking;
  for (std::shared_ptr<PipeCall>& call : lane.queue) {
    Leave(call.get());
    lacking.push_back({.call = std::move(call), .end = Lacking(), .lacking = true});
  }
  lane.queue.clear();
  // Not here: this may be inside a call that the user has just started.
  tasks_.push_back([this, lacking = std::move(lacking)]() mutable {
    Lock again(mutex_);
    Deliver(again, std::move(lacking));
  });
  StartThread();
  Attend();
  return false;
}

void PipeLoop::FlushAll(Lock& lock) {
  for (Lane& lane : lanes_) Flush(lock, lane);
  // Streams that take no calls any more still have some.
  const auto wants = [](const std::shared_ptr<PipeStream>& stream) {
    return stream->retired && !(stream->nexts.empty() && stream->cancels.empty());
  };
  for (;;) {
    const auto found = std::find_if(streams_.begin(), streams_.end(), [&](const auto& stream) {
      return wants(stream) && CanWrite(*stream);
    });
    if (found == streams_.end()) return;
    // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): Write releases the lock.
    const std::shared_ptr<PipeStream> stream = *found;
    Write(lock, nullptr, stream);
  }
}

void PipeLoop::Flush(Lock& lock, Lane& lane) {
  if (lane.stream != nullptr && !Usable(*lane.stream)) {
    lane.stream->retired = true;
    lane.stream = nullptr;
    LookAt(absl::Now());
  }
  if (lane.stream == nullptr) {
    if (lane.queue.empty() || lane.opening || closed_) return;
    if (!Open(lock, lane)) return;
  }
  // NOLINTNEXTLINE(performance-unnecessary-copy-initialization): Write releases the lock.
  const std::shared_ptr<PipeStream> stream = lane.stream;
  if (stream != nullptr) Write(lock, &lane, stream);
}

bool PipeLoop::Gather(Lane* lane, PipeStream& stream, uint64_t message, Outgoing* out) {
  for (const uint64_t id : std::exchange(stream.nexts, {})) AppendPipeNext(id, &out->message);
  for (const uint64_t id : std::exchange(stream.cancels, {})) AppendPipeCancel(id, &out->message);
  const size_t most = std::min(kLarge, channel_->config.max_message_bytes);
  size_t size = out->message.size();
  const auto put = [&](PipeStream::Slot slot, const std::string& bytes,
                       std::shared_ptr<const void> kept) {
    slot.message = message;
    slot.bytes = bytes.size() + kPipeFrameBytes;
    size += slot.bytes;
    const uint64_t id = stream.Put(std::move(slot));
    out->parts.push_back({std::move(kept), bytes, id});
    return id;
  };
  for (const uint32_t statement : std::exchange(stream.closes, {})) {
    v1::PipelineRequest::Call close;
    close.mutable_close_statement()->set_statement(statement);
    auto bytes = std::make_shared<std::string>(close.SerializeAsString());
    put({}, *bytes, bytes);
  }
  while (lane != nullptr && !lane->queue.empty()) {
    PipeCall* const call = lane->queue.front().get();
    const PipeRequest& request = call->request_;
    const PipeStatement* statement = request.statement.get();
    const bool prepare = statement != nullptr && !stream.statements.contains(statement->number);
    const size_t needs =
        request.bytes.size() + (prepare ? 2 * statement->prepare.size() : 0) + 3 * kPipeFrameBytes;
    // A call that is larger than the limits is sent by itself, so that the daemon can say so.
    if (stream.taken() > 0 &&
        (stream.taken() >= stream.max_calls || stream.bytes + needs > stream.max_bytes)) {
      break;
    }
    if (size > 0 && size + needs > most) break;
    if (prepare) {
      const size_t bytes = statement->prepare.size();
      stream.statements.emplace(statement->number, bytes);
      stream.bytes += bytes;
      if (!request.prepares) {
        put({.prepares = statement->number}, statement->prepare, request.statement);
        if (stream.taken() >= stream.max_calls) break;
      }
    }
    std::shared_ptr<PipeCall> taken = std::move(lane->queue.front());
    lane->queue.pop_front();
    call->place_ = PipeCall::Place::kStream;
    call->stream_ = &stream;
    call->id_ = put({.call = taken, .prepares = request.prepares ? statement->number : 0},
                    request.bytes, taken);
  }
  return size > 0;
}

void PipeLoop::Write(Lock& lock, Lane* lane, const std::shared_ptr<PipeStream>& stream) {
  if (!CanWrite(*stream)) return;
  Outgoing out;
  if (!Gather(lane, *stream, stream->next_message(), &out)) return;
  stream->BeginWrite(absl::Now());
  lock.unlock();
  for (const Outgoing::Part& part : out.parts) AppendPipeCall(part.bytes, part.id, &out.message);
  stream->Write(out.message);
  // A call is not destroyed under the lock.
  out.parts.clear();
  lock.lock();
}

bool PipeLoop::Turn(Lock& lock, absl::Time until, Event* event) {
  in_queue_ = true;
  lock.unlock();
  const bool got = queue_.AsyncNext(&event->tag, &event->ok, ToDeadline(until)) ==
                   grpc::CompletionQueue::GOT_EVENT;
  const absl::Time now = absl::Now();
  lock.lock();
  in_queue_ = false;
  last_poll_ = now;
  return got;
}

void PipeLoop::Handle(Lock& lock, Event event) {
  if (event.tag == &alarm_) {
    kicking_ = false;
    return;
  }
  const auto* const tag = static_cast<const PipeStream::Tag*>(event.tag);
  const std::shared_ptr<PipeStream> stream = Share(tag->stream);
  stream->Note(tag->operation, event.ok);
  if (tag->operation == PipeStream::kRead) {
    if (event.ok) {
      OnRead(lock, stream);
    } else {
      stream->failed = true;
      stream->retired = true;
      stream->Finish();
    }
  }
  if (stream->quiet()) OnOver(lock, stream);
  FlushAll(lock);
}

void PipeLoop::OnRead(Lock& lock, const std::shared_ptr<PipeStream>& stream) {
  lock.unlock();
  const grpc::Slice message = stream->Taken();
  // The next message is read while this one is looked at.
  stream->Read();
  PipeAnswers answers;
  const bool well_formed =
      ReadPipeAnswers({reinterpret_cast<const char*>(message.begin()), message.size()}, &answers);
  lock.lock();
  stream->established = true;
  if (answers.max_calls > 0) stream->max_calls = answers.max_calls;
  // Half of it is left for answers, which count as well.
  if (answers.max_bytes > 0) stream->max_bytes = answers.max_bytes / 2;
  if (answers.draining) stream->retired = true;
  if (!well_formed) {
    stream->malformed = true;
    stream->Cancel(absl::Now());
    return;
  }
  std::vector<Delivery> deliveries;
  deliveries.reserve(answers.answers.size());
  for (const PipeAnswer& answer : answers.answers) {
    PipeStream::Slot* const slot = stream->Find(answer.id);
    // One that nobody has asked for would be a fault of the daemon that harms nobody.
    if (slot == nullptr) continue;
    if (slot->prepares != 0 && answer.failed) {
      const auto found = stream->statements.find(slot->prepares);
      if (found != stream->statements.end()) {
        stream->bytes -= found->second;
        stream->statements.erase(found);
      }
    }
    if (slot->call != nullptr) {
      Delivery& delivery = deliveries.emplace_back();
      delivery.more = answer.more;
      delivery.answer.assign(answer.bytes);
      if (answer.more) {
        delivery.call = slot->call;
        slot->call->answered_ = true;
      } else {
        delivery.call = std::move(slot->call);
        Leave(delivery.call.get());
      }
      if (answer.failed) {
        v1::PipelineResponse::Answer parsed;
        if (parsed.ParseFromString(delivery.answer)) {
          delivery.again = AfterRefusal(ToStatus(parsed.error()));
        }
        delivery.established = true;
        delivery.connection = stream->connection();
      }
    }
    if (!answer.more) stream->Free(answer.id);
  }
  if (stream->taken() == 0) {
    stream->idle_since = absl::Now();
    LookAt(stream->retired ? stream->idle_since : stream->idle_since + kIdleAge);
  }
  Deliver(lock, std::move(deliveries));
}

void PipeLoop::Run() {
  thread_id_ = std::this_thread::get_id();
  Lock lock(mutex_);
  while (!ending_ || !streams_.empty() || live_ > 0 || !tasks_.empty()) {
    if (!tasks_.empty()) {
      absl::AnyInvocable<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      task = nullptr;
      lock.lock();
    } else if (Due(absl::Now())) {
      Look(lock);
    } else if (poller_ == Poller::kThread) {
      Event event;
      if (!handed_.empty()) {
        event = handed_.front();
        handed_.pop_front();
        Handle(lock, event);
      } else if (alone_ >= kAlone && live_ == 0 && !ending_) {
        poller_ = Poller::kNobody;
        alone_ = 0;
      } else if (Turn(lock, next_look_, &event)) {
        Handle(lock, event);
      }
    } else if (poller_ == Poller::kNobody && (need_thread_ || ending_)) {
      poller_ = Poller::kThread;
      need_thread_ = false;
    } else if (next_look_ == absl::InfiniteFuture()) {
      wake_.wait(lock);
    } else {
      wake_.wait_until(lock, absl::ToChronoTime(next_look_));
    }
  }
  ended_ = true;
  over_.notify_all();
}

void PipeLoop::End() {
  if (channel_->forked()) return;
  listening_.reset();
  Lock lock(mutex_);
  ending_ = true;
  closed_ = true;
  std::erase_if(streams_, [](const auto& stream) { return !stream->started(); });
  if (!started_) {
    started_ = true;
    ended_ = true;
    return;
  }
  LookAt(absl::Now());
  Attend();
  if (IsOwnThread()) {
    thread_.detach();
    return;
  }
  over_.wait_for(lock, absl::ToChronoMilliseconds(kCancelTime), [this] { return ended_; });
  const bool over = ended_;
  std::thread thread = std::move(thread_);
  lock.unlock();
  over ? thread.join() : thread.detach();
}

}  // namespace penstock::internal
