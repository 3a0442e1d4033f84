// A bidirectional gRPC stream that one thread at a time uses. Waiting needs no other thread: the
// caller itself polls the stream's completion queue.
//
// An operation that was started is always completed before the memory that gRPC uses for it (Parts)
// is released; at most one write, one read and one finish are outstanding.
//
// gRPC completes no operation of a call, not even of a cancelled one, while bytes of its connection
// are stuck in a socket that the peer does not read, as when the daemon is stopped by SIGSTOP. A
// stream that was cancelled and does not end in time is therefore abandoned: its caller gets an
// answer, a detached thread waits for gRPC and then deletes Parts, and the connection is not used
// for later calls.
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

// The part of a stream that does not depend on the types of the messages.
class StreamBase : public IdleStream {
 public:
  StreamBase(const StreamBase&) = delete;
  StreamBase& operator=(const StreamBase&) = delete;

  // From now on everything ends when `ctx` is cancelled or its deadline (and the grace) has passed;
  // the stream is then broken.
  void Enter(const Context& ctx);
  // Removes the limit that Enter has set.
  void Leave() { limit_.reset(); }
  // Adds a limit as Enter does, but for the rest of the stream's life.
  void Bind(const Context& ctx) { outer_.emplace(ctx, &parts_->call); }

 protected:
  // The operations of a stream. At most one of each is outstanding.
  enum Operation : uint8_t { kWrite, kRead, kFinish, kOperations };

  struct State {
    bool pending = false;
    bool ok = true;
  };
  // Everything that gRPC refers to during an operation.
  struct Parts {
    virtual ~Parts() = default;
    // Waits until no operation is outstanding. Must be called before a member is destroyed.
    void Drain();

    grpc::ClientContext call;
    grpc::CompletionQueue queue;
    std::array<State, kOperations> state;
    grpc::Status end;
  };

  // `deadline` is the deadline of the whole gRPC call.
  StreamBase(std::unique_ptr<Parts> parts, std::shared_ptr<Channel> channel,
             const Connection& connection, const Context& opener, absl::Time deadline);
  // Requires that no operation is outstanding, or that the stream is abandoned.
  ~StreamBase() override;

  // Marks an operation as outstanding and returns its tag. Call it right before starting it.
  void* Begin(Operation operation);
  bool pending(Operation operation) const {
    return !abandoned_ && parts_->state[operation].pending;
  }
  // Waits until the operation is no longer outstanding. Returns whether it succeeded.
  bool Await(Operation operation);
  // Waits until one of the outstanding operations is done, or the stream is abandoned.
  void AwaitAny();
  // Cancels the call, so that the outstanding operations fail soon.
  void CancelCall();
  // True if the stream was abandoned, as explained above. It then gets no more events.
  bool abandoned() const { return abandoned_; }
  // False if the token of Config::token_file has changed since the stream was opened.
  bool has_current_token() const { return channel_->IsCurrent(token_); }
  // Records the operations that are done, without waiting.
  void Poll();
  absl::Status Explain(const absl::Status& end) const;

  const std::shared_ptr<Channel> channel_;
  std::unique_ptr<Parts> parts_;

 private:
  // A context that limits the stream.
  struct Limit {
    Limit(const Context& context, grpc::ClientContext* call) : ctx(context), scope(context, call) {}
    const Context ctx;
    const CancelScope scope;
  };

  void Note(void* tag, bool ok);
  // Returns when the current operation gives up waiting.
  absl::Time GiveUp() const;
  // Returns true if a context that limits the stream is cancelled.
  bool cancelled() const;
  // Called when nothing has come for a while: cancels the call, or abandons the stream.
  void GiveUpOrAbandon(absl::Time now);

  // Only passed to Channel::Avoid, which compares it; the object may be gone.
  const Connection* const connection_;
  const Authorization token_;
  bool gave_up_ = false;
  bool abandoned_ = false;
  // When this thread cancelled the call, or noticed that it was cancelled.
  std::optional<absl::Time> cancelled_at_;
  std::optional<CancelScope> provider_scope_;
  std::optional<Limit> limit_;
  std::optional<Limit> outer_;
};

// A stream of Requests and Responses. After the first message a read is always outstanding, so that
// the end of a stream is known before the stream is used again.
template <typename Request, typename Response>
class Stream final : public StreamBase {
 public:
  using Call = grpc::ClientAsyncReaderWriter<Request, Response>;

  // `method` is one of methods.h. `opener` gives the trace parent, and limits the stream as Enter
  // does.
  Stream(std::shared_ptr<Channel> channel, const Connection& connection, const Context& opener,
         const char* method, absl::Time deadline = absl::InfiniteFuture())
      : StreamBase(std::make_unique<TypedParts>(), std::move(channel), connection, opener,
                   deadline) {
    typed().stream = grpc::TemplatedGenericStub<Request, Response>(connection.channel)
                         .PrepareCall(&parts_->call, method, &parts_->queue);
    // The first message and the headers travel together.
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

  // Sends a message. Returns false if the stream is broken; End then tells why.
  bool Send(const Request& request) {
    if (!Await(kWrite)) return false;
    stream().Write(request, Begin(kWrite));
    if (!reading_) Expect();
    return true;
  }

  // Sends the last message.
  bool SendLast(const Request& request) {
    if (!Await(kWrite)) return false;
    stream().WriteLast(request, grpc::WriteOptions(), Begin(kWrite));
    Expect();
    return true;
  }

  // Waits for the next message. Returns false if the stream has ended; End then tells why.
  bool Receive(Response* response) {
    if (!Await(kRead)) return false;
    response->Swap(&typed().incoming);
    Expect();
    return true;
  }

  // For a caller that sends and receives concurrently: waits until can_receive or can_send changes.
  void AwaitProgress() { AwaitAny(); }
  bool can_receive() const { return !pending(kRead); }
  bool can_send() const { return !pending(kWrite); }

  // Returns true if the stream can take another request, as far as this side knows, and carries
  // the token of now. The daemon may no longer accept an older one.
  bool Alive() {
    Poll();
    return pending(kRead) && has_current_token();
  }

  // Returns after a failure whether the last message may have reached the daemon. gRPC fails a
  // write that it could not hand to the connection as a whole.
  bool MaybeSent() { return Await(kWrite) || abandoned(); }

  // Returns the same for Settle. `writes` says that the last message may have had an effect.
  Reach HowFar(bool writes) {
    if (!MaybeSent()) return Reach::kNotSent;
    return writes ? Reach::kMaybeSent : Reach::kHarmless;
  }

  // Returns why the stream ended, after Send or Receive has returned false. Never OK.
  absl::Status End() {
    const absl::Status end = Explain(Finish());
    return end.ok() ? ProtocolError("the stream ended without an answer") : end;
  }

  // Returns true, after Receive has returned false, if the daemon has ended the stream with OK.
  bool EndedWell() { return Finish().ok(); }

  // Cancels the call; a thread that waits for it is woken.
  void Cancel() { CancelCall(); }

  // Waits for the end of the stream, which the daemon has announced, within the current limits.
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
