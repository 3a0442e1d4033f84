// One RPC in flight: the operations that gRPC has of ours, and its end.
#ifndef PENSTOCK_SERVER_RPC_BASE_CALL_H_
#define PENSTOCK_SERVER_RPC_BASE_CALL_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "drivers/api/deadline.h"
#include "drivers/api/driver.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/message.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/async_stream.h"
#include "grpcpp/support/byte_buffer.h"
#include "server/registry/call_registry.h"
#include "server/rpc/base/answer_limits.h"
#include "server/rpc/base/context.h"
#include "server/rpc/base/io.h"
#include "server/rpc/base/request_memory.h"

namespace penstock::server {

// The base of every streaming call.
//
// A call counts the operations that gRPC holds of it and destroys itself when
// the last one has come back after Finish. One owner at a time: apart from the
// events of cancellation and the ticker (which touch only what is atomic or
// thread-safe here), exactly one of an I/O event, an executor's task or an
// outstanding operation drives a call, so its state needs no lock.
//
// Once a call is cancelled its outstanding write counts as failed, although gRPC
// returns it only when the transport has taken it: a client that reads nothing may
// never let it. So OnWritten comes at once, and what the statement holds is free;
// only the call itself waits for gRPC.
class Call : public RegisteredCall {
 public:
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  bool TryRef() final;
  void Unref() final;

 protected:
  Call(const RpcContext& context, Rpc rpc);
  virtual ~Call();

  // It counts against max_sessions and ends with a drain.
  virtual bool is_session() const { return true; }
  // The RPC has arrived. `OnStart` of a call that may not start is not called.
  virtual void OnStart() = 0;
  // A new object that waits for the next RPC of this sort.
  virtual void WaitForNext() = 0;
  virtual void OnRead(bool ok) = 0;
  virtual void OnWritten(bool ok) = 0;
  // The client has cancelled or gone, or the call's deadline has passed. Called
  // concurrently with everything else.
  virtual void OnCancelled() {}

  // The operations of the stream that the subclass has.
  virtual void DoWrite(const grpc::ByteBuffer& bytes, void* tag) = 0;
  virtual void DoWriteAndFinish(const grpc::ByteBuffer& bytes, void* tag) = 0;
  virtual void DoFinish(const grpc::Status& status, void* tag) = 0;

  // To be given to gRPC with the request for the next RPC of this sort.
  void* StartTag();

  // Writes a message; OnWritten follows. An error: it is too large or the client has
  // gone, and nothing was written.
  absl::Status Write(const google::protobuf::MessageLite& message);
  // Writes the last message and ends the call with OK.
  absl::Status WriteAndFinish(const google::protobuf::MessageLite& message);
  // Ends the call. Only the first end counts; later ones do nothing.
  void Finish(const absl::Status& status);

  // Parses a request. It has a share of the memory for requests until the next one is taken,
  // or the call has gone: kLimitExceeded if it takes too much by itself, or there is no room.
  absl::Status Take(grpc::ByteBuffer* bytes, google::protobuf::Message* request);
  // Likewise, with a share that the caller keeps.
  absl::Status Take(grpc::ByteBuffer* bytes, google::protobuf::Message* request,
                    RequestMemory::Share* share) const;

  // The shortest of the request's timeout, the call's deadline and the
  // database's query_timeout.
  absl::Status DeadlineFor(const Database& database, bool has_timeout,
                           const google::protobuf::Duration& timeout, TimePoint now,
                           driver::Deadline* deadline) const;

  // The name that the caller gives itself in the metadata x-penstock-application, cut
  // to what driver::StatementRun::caller allows; empty: none. Lives as long as the call.
  // To be called by whoever drives the call, after it has started.
  std::string_view CallerName();

  // A statement that does not come back from the driver keeps what it borrowed of the
  // call, but its caller is answered all the same, some time after its limit: by whoever
  // is first of Tick and OnRun. BeginRun comes before the statement is submitted; OnRun
  // calls EndRun first, and only cleans up if that is false. CheckRun is for Tick: with
  // `may_write` it answers that the outcome is not known.
  void BeginRun(const Database& database, const driver::Deadline& deadline);
  bool EndRun() { return run_given_up_at_.exchange(kNoRun) != kNoRun; }
  void CheckRun(TimePoint now, const driver::Deadline& deadline, bool may_write);

  // Why a call ends that is open when the daemon stops.
  static absl::Status DrainingStatus();

  // How a call ends whose statement has run, or runs, and whose answer cannot be sent to
  // its end for the reason `why`. That is `why` where nothing was changed; anything else is
  // done, or may be, and to ask again would do it twice: kCommitOutcomeUnknown.
  static absl::Status Undelivered(const driver::StatementRun& run, const absl::Status& why);

  // Why an operation of gRPC's failed: the client is gone, or was cut off.
  absl::Status GoneStatus() const;

  // Cuts a client off that does not read, earlier in a drain: to be called from Tick.
  void CheckStall(TimePoint now);

  // Of this call's answers; known once it has started.
  const AnswerLimits& answer_limits() const { return answer_limits_; }

  // Of the statement that runs; cancelled with the call.
  driver::Cancellation cancellation_;
  grpc::ServerContext server_context_;
  const RpcContext context_;

  // By whoever refers to it already.
  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }

 private:
  template <void (Call::*Handler)(bool)>
  class MemberTag final : public Tag {
   public:
    explicit MemberTag(Call* call) : call_(call) {}
    void OnEvent(bool ok) override { (call_->*Handler)(ok); }

   private:
    Call* const call_;
  };

  void Started(bool ok);
  // The value of this key of the client's metadata; empty: it has none. Lives as long as the call.
  std::string_view Metadata(const char* key) const;
  void Read(bool ok);
  void Written(bool ok);
  void Finished(bool ok);
  void Done(bool ok);
  void GiveUpWrite();
  // Is no session any more. By whoever refers to it; again: does nothing.
  void Leave();
  void SendEnd();

  enum class WriteState : uint8_t {
    kNone,
    kOutstanding,  // gRPC has it, and the call waits for it
    kGivenUp,      // gRPC has it, and nobody waits
    kLast,         // as above, and Finish was called
  };

  friend class BidiCall;

  // No statement is with the driver.
  static constexpr Duration::rep kNoRun = 0;
  // When its caller is not kept waiting any longer, in ticks of the clock.
  std::atomic<Duration::rep> run_given_up_at_{kNoRun};

  RequestMemory::Share request_share_;
  AnswerLimits answer_limits_;
  std::optional<std::string> caller_;
  const Rpc rpc_;
  std::atomic<int> references_{0};
  std::atomic<bool> finishing_{false};
  std::atomic<bool> registered_{false};
  std::atomic<int> end_code_{0};
  std::atomic<WriteState> write_state_{WriteState::kNone};
  std::atomic<bool> gone_{false};  // cancelled, as far as gRPC is concerned
  grpc::Status end_;               // for kLast
  // When the outstanding write began, in ticks of the clock; 0: there is none.
  std::atomic<Duration::rep> write_began_{0};
  grpc::ByteBuffer out_;
  MemberTag<&Call::Started> started_{this};
  MemberTag<&Call::Read> read_{this};
  MemberTag<&Call::Written> written_{this};
  MemberTag<&Call::Finished> finished_{this};
  MemberTag<&Call::Done> done_{this};
};

// A call on which both sides stream. Requests are taken as bytes and parsed
// here, because gRPC would report one that does not parse as the end of the
// stream.
class BidiCall : public Call {
 protected:
  BidiCall(const RpcContext& context, Rpc rpc) : Call(context, rpc), stream_(&server_context_) {}

  // OnRead follows, with the message in in().
  void StartRead();
  grpc::ByteBuffer* in() { return &in_; }

  // For streams that may wait for a request for ever: whether this one does from now on,
  // whether it has for longer than stream_idle_timeout, for Tick, and what it ends with
  // then. Thread-safe.
  void SetIdle(bool idle);
  bool IdleTooLong(TimePoint now) const;
  absl::Status IdleStatus() const;

  void DoWrite(const grpc::ByteBuffer& bytes, void* tag) override { stream_.Write(bytes, tag); }
  void DoWriteAndFinish(const grpc::ByteBuffer& bytes, void* tag) override {
    stream_.WriteAndFinish(bytes, {}, grpc::Status::OK, tag);
  }
  void DoFinish(const grpc::Status& status, void* tag) override { stream_.Finish(status, tag); }

  using Stream = grpc::ServerAsyncReaderWriter<grpc::ByteBuffer, grpc::ByteBuffer>;
  Stream* stream() { return &stream_; }

 private:
  Stream stream_;
  grpc::ByteBuffer in_;
  // In ticks of the clock; 0: it is not idle.
  std::atomic<Duration::rep> idle_since_{0};
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_CALL_H_
