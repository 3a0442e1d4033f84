// The base of every RPC.
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
#include "server/auth/authenticator.h"
#include "server/auth/quota.h"
#include "server/registry/call_registry.h"
#include "server/rpc/base/answer_limits.h"
#include "server/rpc/base/call_settings.h"
#include "server/rpc/base/calls.h"
#include "server/rpc/base/context.h"
#include "server/rpc/base/io.h"
#include "server/rpc/base/request_memory.h"

namespace penstock::server {

// A statement that a call submits to its database.
struct CallStatement : PendingRun {
  Database* database = nullptr;
  // When its request came.
  TimePoint began;
  // Owns `settings`.
  CallSettings call_settings;

 protected:
  ~CallStatement() = default;
};

// Base of every RPC: counts outstanding gRPC operations and deletes itself after the last.
//
// One owner at a time drives a call: an I/O event, a worker's task or an outstanding
// operation. So its state needs no lock. Cancellation and the ticker run beside the owner, and
// touch only what is atomic or thread-safe here.
//
// Once a call is cancelled its outstanding write counts as failed, although gRPC
// returns it only when the transport has taken it: a client that reads nothing may
// never let it. So OnWritten comes at once, and what the statement holds is free;
// only the call itself waits for gRPC.
class Call : public RegisteredCall {
 public:
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  // Cancels a call that runs when the time for draining is over.
  void Drain(bool now) override {
    if (now) cancellation_.Cancel(DrainingStatus());
  }

  bool TryRef() final;
  void Unref() final;
  // Only for callers that hold a reference already.
  void Ref() { references_.fetch_add(1, std::memory_order_relaxed); }

  // The tenant as which the call waits: its identity's number. Known once it has started.
  uint64_t tenant() const { return principal().quota().number(); }

  // For the operations of a call that has started; see operation.h.

  // Who makes the call.
  const Principal& principal() const { return *access_.principal; }
  // The limits of this call's answers.
  const AnswerLimits& answer_limits() const { return answer_limits_; }
  // Returns the most bytes that the rows of a statement which writes may have together, by the
  // limits of the database, of a message and of the caller's identity.
  size_t ReturningLimit(const Database& database) const;

  // Notes whether the caller of a statement of SQL, whose database is known, may write. Fails with
  // kNotAllowed if he may not use SQL there.
  absl::Status AllowSql(CallStatement* statement) const {
    statement->must_only_read = !principal().MayWriteBySql(statement->database->name());
    return principal().CheckSql(statement->database->name());
  }

  // Finds the database of a request, and prepares the statement that it asks for by
  // PrepareStatement. `rpc` is the method whose request it is. The statement's `began` is known.
  // Only the call's owner may ask.
  template <typename Request>
  absl::Status StartStatement(Rpc rpc, const Request& request, CallStatement* statement) {
    absl::StatusOr<Database*> database = FindDatabase(rpc, request.database());
    if (!database.ok()) return database.status();
    statement->database = *database;
    return PrepareStatement(request, statement);
  }

  // Gives a statement, whose database is known, the request's deadline and settings of the session
  // and the call's tenant, and, unless it has its own, the call's cancellation and the caller's
  // name. Asks AllowSql if the request has SQL. Fails as CallSettings::Assign does. The request
  // outlives the statement.
  template <typename Request>
  absl::Status PrepareStatement(const Request& request, CallStatement* statement) {
    if constexpr (requires { request.sql(); }) {
      absl::Status allowed = AllowSql(statement);
      if (!allowed.ok()) return allowed;
    }
    absl::Status set = AssignSettings(request, *statement->database, &statement->call_settings);
    if (!set.ok()) return set;
    statement->settings = statement->call_settings.values();
    if (statement->cancellation == nullptr) statement->cancellation = &cancellation_;
    if (statement->caller.empty()) statement->caller = CallerName();
    statement->tenant = tenant();
    return DeadlineFor(*statement->database, request.has_timeout(), request.timeout(),
                       statement->began, &statement->deadline);
  }

 protected:
  // Makes the object that waits for the next RPC of this method.
  using WaitForNext = void (*)(const RpcContext& context, const CallSource& source);

  Call(const RpcContext& context, const CallSource& source, Rpc rpc, WaitForNext wait_for_next);
  virtual ~Call();

  // Returns whether the call counts against max_sessions and ends with a drain.
  virtual bool is_session() const { return true; }
  // Returns whether the call counts against the limit of its identity's calls while it is open.
  virtual bool counts_as_call() const { return true; }
  // The RPC has arrived, and may start.
  virtual void OnStart() = 0;
  virtual void OnRead(bool ok) = 0;
  virtual void OnWritten(bool ok) = 0;
  // The client has cancelled or gone, or the call's deadline has passed. Called concurrently with
  // everything else.
  virtual void OnCancelled() {}

  // The operations of the subclass's stream.
  virtual void DoWrite(const grpc::ByteBuffer& bytes, void* tag) = 0;
  virtual void DoWriteAndFinish(const grpc::ByteBuffer& bytes, void* tag) = 0;
  virtual void DoFinish(const grpc::Status& status, void* tag) = 0;

  // Returns the tag with which gRPC is asked for the next RPC of this method.
  void* StartTag();

  // Writes a message; OnWritten follows. Fails, and writes nothing, if the message is too large or
  // the client has gone.
  absl::Status Write(const google::protobuf::MessageLite& message);
  // Does the same with a message that is serialized already.
  absl::Status Write(std::string message);
  // Writes the last message and ends the call with OK.
  absl::Status WriteAndFinish(const google::protobuf::MessageLite& message);
  absl::Status WriteAndFinish(std::string message);
  // Ends the call. Only the first end counts; later ones do nothing.
  void Finish(const absl::Status& status);

  // Parses a request. Its share of the memory for requests lasts until the next one is taken,
  // or the call has gone. Fails with kLimitExceeded if the request takes too much by itself, or
  // there is no room, and with kUnauthenticated if the caller's proof has expired meanwhile.
  absl::Status Take(grpc::ByteBuffer* bytes, google::protobuf::Message* request);
  // Does the same with a share that the caller keeps.
  absl::Status Take(grpc::ByteBuffer* bytes, google::protobuf::Message* request,
                    RequestMemory::Share* share) const;
  // Returns OK, or kUnauthenticated if the caller's proof has expired or was revoked meanwhile.
  absl::Status CheckAccess() const { return access_.Check(std::chrono::system_clock::now()); }

  // Counts a request that has ended, and was one of the method `rpc` in all but its way: in
  // metrics, for its caller's identity, and, if it was refused, in the log.
  void CountRequest(Rpc rpc, const Database* database, const absl::Status& end);

  // Finds the database of a request. Fails with kNotAllowed if the caller does not have the right
  // on it that the method needs, and as Databases::Find does. There is no other way to a database.
  absl::StatusOr<Database*> FindDatabase(std::string_view name) { return FindDatabase(rpc_, name); }
  // Does the same with the right that another method needs, whose request has come by this call.
  absl::StatusOr<Database*> FindDatabase(Rpc rpc, std::string_view name);

  // Assigns the settings that a statement or a transaction of this request has; see
  // CallSettings::Assign.
  template <typename Request>
  absl::Status AssignSettings(const Request& request, const Database& database,
                              CallSettings* settings) const {
    if constexpr (requires { request.settings(); }) {
      return settings->Assign(database, access_, request.settings());
    } else {
      return settings->Assign(database, access_, CallSettings::None());
    }
  }

  // Computes the earliest of the request's timeout, the call's deadline and the
  // database's query_timeout.
  absl::Status DeadlineFor(const Database& database, bool has_timeout,
                           const google::protobuf::Duration& timeout, TimePoint now,
                           driver::Deadline* deadline) const;

  // Returns the caller's identity, if the daemon has identities, and the name that the caller gives
  // itself in the metadata x-penstock-application, as in "app/report", cut to what
  // driver::StatementRun::caller allows; empty if there is neither. It lives as long as the call.
  // Only the owner of a call that has started may ask.
  std::string_view CallerName();
  // Returns the same for one request, for which the caller gives itself the name `application`.
  std::string CallerName(std::string_view application) const;

  // Returns why a call ends that is open when the daemon stops.
  static absl::Status DrainingStatus();

  // Returns why an operation of gRPC's failed: the client is gone, or was cut off.
  absl::Status GoneStatus() const;

  // Counts and logs that a result was given up, because its client has not read on for so long. For
  // Tick.
  void NoteStall(Duration waited);
  // Cuts off a client that does not read, earlier in a drain. For Tick.
  void CheckStall(TimePoint now);

  // Cancels the statement that runs, together with the call.
  driver::Cancellation cancellation_;
  grpc::ServerContext server_context_;
  const RpcContext context_;
  const CallSource source_;

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
  void Audit(const absl::Status& end);
  // Finds out who calls, and registers a session. The call ends with an error.
  absl::Status Admit();
  // Returns what a caller is told who has not proved who he is, for the reason `why`.
  absl::Status RefuseUnknown(const absl::Status& why) const;
  // Returns the value of this key of the client's metadata, or an empty text. It lives as long as
  // the call.
  std::string_view Metadata(const char* key) const;
  void Read(bool ok);
  void Written(bool ok);
  void Finished(bool ok);
  void Done(bool ok);
  void GiveUpWrite();
  // Write and WriteAndFinish of what is in out_.
  absl::Status WriteOut();
  absl::Status WriteOutAndFinish();
  // Removes the call from the registry. The caller holds a reference; a second call does nothing.
  void Leave();
  void SendEnd();

  enum class WriteState : uint8_t {
    kNone,
    kOutstanding,  // gRPC has it, and the call waits for it
    kGivenUp,      // gRPC has it, and nobody waits
    kLast,         // as above, and Finish was called
  };

  friend class BidiCall;

  RequestMemory::Share request_share_;
  AnswerLimits answer_limits_;
  Access access_;
  // Of a call that is registered, and counts against the limit of its identity's calls.
  Quota::Share quota_share_;
  // The database that the last request named; null if it was not found.
  const Database* database_found_ = nullptr;
  std::optional<std::string> caller_;
  const Rpc rpc_;
  const WaitForNext wait_for_next_;
  std::atomic<int> references_{0};
  std::atomic<bool> finishing_{false};
  std::atomic<bool> registered_{false};
  std::atomic<int> end_code_{0};
  std::atomic<WriteState> write_state_{WriteState::kNone};
  std::atomic<bool> gone_{false};  // cancelled, as far as gRPC is concerned
  grpc::Status end_;               // for kLast
  // When the outstanding write began, in ticks of the clock; 0 if there is none.
  std::atomic<Duration::rep> write_began_{0};
  grpc::ByteBuffer out_;
  MemberTag<&Call::Started> started_{this};
  MemberTag<&Call::Read> read_{this};
  MemberTag<&Call::Written> written_{this};
  MemberTag<&Call::Finished> finished_{this};
  MemberTag<&Call::Done> done_{this};
};

// Base of a call to which one message comes and many are written.
class ServerStreamCall : public Call {
 protected:
  ServerStreamCall(const RpcContext& context, const CallSource& source, Rpc rpc,
                   WaitForNext wait_for_next)
      : Call(context, source, rpc, wait_for_next), stream_(&server_context_) {}

  // Asks gRPC for the next RPC of a service's method: once, by the subclass's constructor.
  template <typename Service, typename Request>
  void Listen(Service* service, Request request) {
    (service->*request)(&server_context_, &request_bytes_, &stream_, source_.queue, source_.queue,
                        StartTag());
  }

  void OnRead(bool) final {}
  void DoWrite(const grpc::ByteBuffer& bytes, void* tag) final { stream_.Write(bytes, tag); }
  void DoWriteAndFinish(const grpc::ByteBuffer& bytes, void* tag) final {
    stream_.WriteAndFinish(bytes, {}, grpc::Status::OK, tag);
  }
  void DoFinish(const grpc::Status& status, void* tag) final { stream_.Finish(status, tag); }

  grpc::ByteBuffer request_bytes_;

 private:
  grpc::ServerAsyncWriter<grpc::ByteBuffer> stream_;
};

// Base of a call on which both sides stream. Requests are taken as bytes and parsed
// here, because gRPC would report one that does not parse as the end of the
// stream.
class BidiCall : public Call {
 protected:
  BidiCall(const RpcContext& context, const CallSource& source, Rpc rpc, WaitForNext wait_for_next)
      : Call(context, source, rpc, wait_for_next), stream_(&server_context_) {}

  // Asks gRPC for the next RPC of a service's method: once, by the subclass's constructor.
  template <typename Service, typename Request>
  void Listen(Service* service, Request request) {
    (service->*request)(&server_context_, &stream_, source_.queue, source_.queue, StartTag());
  }

  // Starts a read; OnRead follows, with the message in in().
  void StartRead();
  grpc::ByteBuffer* in() { return &in_; }

  // For streams that may wait for a request for ever. SetIdle notes whether this one waits from now
  // on; IdleTooLong tells Tick whether it has waited for longer than stream_idle_timeout, and
  // IdleStatus is what it ends with then. Thread-safe.
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
  // The time since which the stream is idle, in ticks of the clock; 0 if it is not.
  std::atomic<Duration::rep> idle_since_{0};
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_CALL_H_
