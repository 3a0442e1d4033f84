// A bidirectional stream that is used by one thread at a time and waits without
// a thread of its own.
//
// gRPC completes no operation of a call, not even one that was cancelled, while bytes of its
// connection are on their way into a socket that the other side does not read: a daemon that is
// stopped, say. So a stream that was cancelled and does not end is abandoned: its caller is
// answered, what gRPC may still write to is left to a thread that waits for it, and the
// connection is not used any more.
#ifndef PENSTOCK_CLIENT_SRC_STREAM_H_
#define PENSTOCK_CLIENT_SRC_STREAM_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/src/cancellation.h"
#include "client/src/channel.h"
#include "client/src/status.h"
#include "grpcpp/client_context.h"
#include "grpcpp/completion_queue.h"
#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/impl/codegen/proto_utils.h"
#include "grpcpp/support/async_stream.h"
#include "penstock/context.h"

namespace penstock::internal {

// What does not depend on the messages.
class StreamBase : public IdleStream {
 public:
  StreamBase(const StreamBase&) = delete;
  StreamBase& operator=(const StreamBase&) = delete;

  // What is done from now on ends when `ctx` is cancelled or its deadline (and the
  // grace) has passed; the stream is then broken.
  void Enter(const Context& ctx);
  // From now on nothing limits it, but what Bind says.
  void Leave() { limit_.reset(); }
  // As Enter, and also of everything that is done later.
  void Bind(const Context& ctx) { outer_.emplace(ctx, &parts_->call); }

 protected:
  // One of each may be outstanding.
  enum Operation : uint8_t { kWrite, kRead, kFinish, kOperations };

  struct State {
    bool pending = false;
    bool ok = true;
  };
  // All that gRPC refers to during an operation.
  struct Parts {
    virtual ~Parts() = default;
    // Waits until no operation is outstanding: before anything here is destroyed.
    void Drain();

    grpc::ClientContext call;
    grpc::CompletionQueue queue;
    std::array<State, kOperations> state;
    grpc::Status end;
  };

  // `deadline`: of the whole call, for gRPC.
  StreamBase(std::unique_ptr<Parts> parts, std::shared_ptr<Channel> channel,
             const Connection& connection, const Context& opener, absl::Time deadline);
  // No operation is outstanding, or it is abandoned.
  ~StreamBase() override;

  // The tag for an operation that is about to be started.
  void* Begin(Operation operation);
  bool pending(Operation operation) const {
    return !abandoned_ && parts_->state[operation].pending;
  }
  // Waits until the operation, if there is one, is done; whether it succeeded.
  bool Await(Operation operation);
  // Waits until one of the outstanding operations is done, or the stream is abandoned.
  void AwaitAny();
  // Ends the call; what is outstanding fails soon.
  void CancelCall();
  // Nothing is heard of it any more; see above.
  bool abandoned() const { return abandoned_; }
  // Notes what is done already, without waiting.
  void Poll();
  absl::Status Explain(const absl::Status& end) const;

  const std::shared_ptr<Channel> channel_;
  std::unique_ptr<Parts> parts_;

 private:
  // Of what runs at the moment.
  struct Limit {
    Limit(const Context& context, grpc::ClientContext* call) : ctx(context), scope(context, call) {}
    const Context ctx;
    const CancelScope scope;
  };

  void Note(void* tag, bool ok);
  // When what waits at the moment gives up.
  absl::Time GiveUp() const;
  // Whoever it serves has cancelled.
  bool cancelled() const;
  // After a while in which nothing has come.
  void GiveUpOrAbandon(absl::Time now);

  // For Channel::Avoid; it may be gone.
  const Connection* const connection_;
  bool gave_up_ = false;
  bool abandoned_ = false;
  // When the call was cancelled, as far as was noticed here.
  std::optional<absl::Time> cancelled_at_;
  std::optional<CancelScope> provider_scope_;
  std::optional<Limit> limit_;
  std::optional<Limit> outer_;
};

// A read is always outstanding, so that a stream which the daemon or the network
// has ended is known to be dead before it is used again.
template <typename Request, typename Response>
class Stream final : public StreamBase {
 public:
  using Call = grpc::ClientAsyncReaderWriter<Request, Response>;

  // `method` is one of methods.h; `opener` gives the trace parent. The stream is within its
  // limits (see Enter) from the start.
  Stream(std::shared_ptr<Channel> channel, const Connection& connection, const Context& opener,
         const char* method, absl::Time deadline = absl::InfiniteFuture())
      : StreamBase(std::make_unique<TypedParts>(), std::move(channel), connection, opener,
                   deadline) {
    typed().stream = grpc::TemplatedGenericStub<Request, Response>(connection.channel)
                         .PrepareCall(&parts_->call, method, &parts_->queue);
    // The first message and what opens the stream travel together.
    parts_->call.set_initial_metadata_corked(true);
    stream().StartCall(nullptr);
    Enter(opener);
  }

  // Cancels the call unless it has ended.
  ~Stream() override {
    if (channel_->forked()) return;
    if (!finished_) CancelCall();
    Finish();
  }

  // Sends a message. False: the stream is broken; see End.
  bool Send(const Request& request) {
    if (!Await(kWrite)) return false;
    stream().Write(request, Begin(kWrite));
    if (!reading_) Expect();
    return true;
  }

  // Likewise, the last one.
  bool SendLast(const Request& request) {
    if (!Await(kWrite)) return false;
    stream().WriteLast(request, grpc::WriteOptions(), Begin(kWrite));
    Expect();
    return true;
  }

  // Waits for the next message. False: there is none, the stream has ended; see End.
  bool Receive(Response* response) {
    if (!Await(kRead)) return false;
    response->Swap(&typed().incoming);
    Expect();
    return true;
  }

  // For a caller who sends and receives at once: waits until one of them would
  // not wait.
  void AwaitProgress() { AwaitAny(); }
  bool can_receive() const { return !pending(kRead); }
  bool can_send() const { return !pending(kWrite); }

  // Whether the stream waits for the next request, as far as is known here.
  bool Alive() {
    Poll();
    return pending(kRead);
  }

  // After a failure: whether the last message may have reached the daemon. A write that
  // fails has not left whole: gRPC says so of what it could not hand to the connection.
  bool MaybeSent() { return Await(kWrite) || abandoned(); }

  // Likewise, for Settle. `writes`: the last message asked for what may have an effect.
  Reach HowFar(bool writes) {
    if (!MaybeSent()) return Reach::kNotSent;
    return writes ? Reach::kMaybeSent : Reach::kHarmless;
  }

  // Why the stream ended, after a false. Never OK.
  absl::Status End() {
    const absl::Status end = Explain(Finish());
    return end.ok() ? ProtocolError("the stream ended without an answer") : end;
  }

  // After a false: the daemon has ended it, and well.
  bool EndedWell() { return Finish().ok(); }

  // Breaks it off; what waits for it is told.
  void Cancel() { CancelCall(); }

  // Waits for the end that the daemon has announced, at most until the limits.
  void AwaitEnd() {
    for (Response dropped; Receive(&dropped);) {
    }
    Finish();
  }

 private:
  struct TypedParts final : Parts {
    ~TypedParts() override { Drain(); }

    std::unique_ptr<Call> stream;
    Response incoming;
  };
  TypedParts& typed() { return static_cast<TypedParts&>(*parts_); }
  Call& stream() { return *typed().stream; }

  void Expect() {
    reading_ = true;
    stream().Read(&typed().incoming, Begin(kRead));
  }

  const absl::Status& Finish() {
    if (!finished_) {
      finished_ = true;
      if (!abandoned()) stream().Finish(&parts_->end, Begin(kFinish));
      Await(kFinish);
      Await(kWrite);
      Await(kRead);
      end_ = abandoned() ? absl::CancelledError() : ToStatus(parts_->end);
    }
    return end_;
  }

  bool reading_ = false;
  bool finished_ = false;
  absl::Status end_;
};

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_STREAM_H_
