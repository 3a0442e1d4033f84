#include "server/rpc/base/call.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "server/auth/failed_attempts.h"
#include "server/log/log.h"
#include "server/rpc/base/audit.h"
#include "server/rpc/base/caller.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/base/peer.h"
#include "server/rpc/base/wire_bounds.h"

namespace penstock::server {

using driver::Reason;

namespace {

// A client that takes no message for so long while the daemon drains has abandoned its stream.
constexpr auto kDrainStall = std::chrono::milliseconds(500);

}  // namespace

Call::Call(const RpcContext& context, const CallSource& source, Rpc rpc, WaitForNext wait_for_next)
    : context_(context), source_(source), rpc_(rpc), wait_for_next_(wait_for_next) {
  context_.live_calls->Add();
  server_context_.AsyncNotifyWhenDone(&done_);
}

Call::~Call() {
  request_share_ = {};
  // The server may be gone from now on.
  context_.live_calls->Remove();
}

bool Call::TryRef() {
  for (int count = references_.load(std::memory_order_relaxed); count > 0;) {
    if (references_.compare_exchange_weak(count, count + 1, std::memory_order_relaxed)) return true;
  }
  return false;
}

void Call::Unref() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  // The call leaves before the members of the subclass go, because the ticker may be calling it.
  Leave();
  delete this;
}

void Call::Leave() {
  if (!registered_.exchange(false)) return;
  context_.registry->Remove(this);
  context_.metrics->open_sessions.Add(-1);
  const int code = end_code_.load();
  context_.metrics->calls[static_cast<size_t>(rpc_)][static_cast<size_t>(code)].Add();
  principal().quota().CountCall(static_cast<absl::StatusCode>(code));
  quota_share_.Release();
}

void* Call::StartTag() {
  Ref();
  // The second reference is done_'s, which another thread may be given before this one has come to
  // Started.
  Ref();
  return static_cast<Tag*>(&started_);
}

void Call::Started(bool ok) {
  if (!ok) {
    // The server is shutting down. gRPC does not deliver done_ for a call that
    // never was.
    Unref();
    Unref();
    return;
  }
  wait_for_next_(context_, source_);
  answer_limits_ = AnswerLimits::For(context_.config->server, Metadata(kMessageLimitKey));
  const absl::Status admitted = Admit();
  if (admitted.ok()) {
    OnStart();
  } else {
    Finish(admitted);
  }
  Unref();
}

absl::Status Call::Admit() {
  absl::StatusOr<Access> access = Authenticate(context_, rpc_, server_context_);
  if (!access.ok()) return RefuseUnknown(access.status());
  access_ = *std::move(access);
  if (!is_session()) return absl::OkStatus();
  if (context_.registry->draining()) return DrainingStatus();
  // Whoever is over his limits takes no session from others.
  absl::StatusOr<Quota::Share> share =
      principal().quota().Admit(rpc_ == Rpc::kTransaction, Clock::System().Now());
  if (!share.ok()) return share.status();
  absl::Status added = context_.registry->Add(this, PeerOf(server_context_.peer()));
  if (!added.ok()) {
    context_.metrics->sessions_refused.Add();
    return added;
  }
  if (counts_as_call()) quota_share_ = *std::move(share);
  registered_.store(true);
  context_.metrics->open_sessions.Add();
  return absl::OkStatus();
}

absl::Status Call::RefuseUnknown(const absl::Status& why) const {
  context_.metrics->calls_refused.Add();
  absl::Status often =
      context_.failed_attempts->Note(PeerOf(server_context_.peer()), Clock::System().Now());
  if (often.ok()) return why;
  context_.metrics->calls_throttled.Add();
  return often;
}

absl::StatusOr<Database*> Call::FindDatabase(Rpc rpc, std::string_view name) {
  absl::StatusOr<Database*> found = server::FindDatabase(context_, rpc, principal(), name);
  // A call whose requests are of other methods may have several at once, and none is its own.
  if (found.ok() && rpc == rpc_) database_found_ = *found;
  return found;
}

void Call::CountRequest(Rpc rpc, const Database* database, const absl::Status& end) {
  const auto code = static_cast<size_t>(end.code()) % kStatusCodes;
  context_.metrics->calls[static_cast<size_t>(rpc)][code].Add();
  principal().quota().CountCall(end.code());
  if (!end.ok()) {
    AuditCall(context_, rpc, server_context_, access_.principal.get(), database, end);
  }
}

void Call::Audit(const absl::Status& end) {
  AuditCall(context_, rpc_, server_context_, access_.principal.get(), database_found_, end);
}

void Call::Read(bool ok) {
  OnRead(ok);
  Unref();
}

void Call::Written(bool ok) {
  write_began_.store(0, std::memory_order_relaxed);
  switch (write_state_.exchange(WriteState::kNone)) {
    case WriteState::kOutstanding: OnWritten(ok); break;
    case WriteState::kLast: SendEnd(); break;
    default: break;
  }
  Unref();
}

void Call::GiveUpWrite() {
  WriteState outstanding = WriteState::kOutstanding;
  if (write_state_.compare_exchange_strong(outstanding, WriteState::kGivenUp)) OnWritten(false);
}

void Call::Finished(bool) { Unref(); }

void Call::Done(bool) {
  if (server_context_.IsCancelled()) {
    const bool late = std::chrono::system_clock::now() >= server_context_.deadline();
    cancellation_.Cancel(driver::MakeError(
        late ? Reason::kCallDeadline : Reason::kCancelled,
        late ? "the deadline of the call passed" : "the client cancelled or went away"));
    gone_.store(true);
    OnCancelled();
    GiveUpWrite();
  }
  Unref();
}

absl::Status Call::Write(const google::protobuf::MessageLite& message) {
  if (gone_.load()) return GoneStatus();  // gRPC may still have a write that was given up
  const absl::Status status = Serialize(message, answer_limits_.message, &out_);
  return status.ok() ? WriteOut() : status;
}

absl::Status Call::Write(std::string message) {
  if (gone_.load()) return GoneStatus();
  const absl::Status status = ToBytes(std::move(message), answer_limits_.message, &out_);
  return status.ok() ? WriteOut() : status;
}

absl::Status Call::WriteOut() {
  // If the client goes at this moment, either Done finds this write or gone_ is seen here.
  write_state_.store(WriteState::kOutstanding);
  if (gone_.load()) {
    WriteState outstanding = WriteState::kOutstanding;
    if (write_state_.compare_exchange_strong(outstanding, WriteState::kNone)) return GoneStatus();
  }
  Ref();
  write_began_.store(Clock::System().Now().time_since_epoch().count(), std::memory_order_relaxed);
  DoWrite(out_, static_cast<Tag*>(&written_));
  return absl::OkStatus();
}

absl::Status Call::WriteAndFinish(const google::protobuf::MessageLite& message) {
  const absl::Status status = Serialize(message, answer_limits_.message, &out_);
  return status.ok() ? WriteOutAndFinish() : status;
}

absl::Status Call::WriteAndFinish(std::string message) {
  const absl::Status status = ToBytes(std::move(message), answer_limits_.message, &out_);
  return status.ok() ? WriteOutAndFinish() : status;
}

absl::Status Call::WriteOutAndFinish() {
  if (finishing_.exchange(true)) return absl::OkStatus();
  Audit(absl::OkStatus());
  Ref();
  write_began_.store(Clock::System().Now().time_since_epoch().count(), std::memory_order_relaxed);
  DoWriteAndFinish(out_, static_cast<Tag*>(&finished_));
  return absl::OkStatus();
}

void Call::Finish(const absl::Status& status) {
  if (finishing_.exchange(true)) return;
  Audit(status);
  end_code_.store(static_cast<int>(status.code()));
  end_ = ToGrpc(status);
  // gRPC has one operation that sends at a time.
  WriteState given_up = WriteState::kGivenUp;
  if (!write_state_.compare_exchange_strong(given_up, WriteState::kLast)) {
    SendEnd();
  } else {
    // Nothing is left to do but to wait for gRPC, which no drain waits for.
    Leave();
  }
}

void Call::SendEnd() {
  Ref();
  DoFinish(end_, static_cast<Tag*>(&finished_));
}

absl::Status Call::Take(grpc::ByteBuffer* bytes, google::protobuf::Message* request) {
  // The request before is done with.
  request_share_ = {};
  return Take(bytes, request, &request_share_);
}

absl::Status Call::Take(grpc::ByteBuffer* bytes, google::protobuf::Message* request,
                        RequestMemory::Share* share) const {
  absl::Status valid = CheckAccess();
  if (!valid.ok()) return valid;
  const absl::StatusOr<size_t> size = ExpandedSize(bytes, request->GetDescriptor());
  if (!size.ok()) return size.status();
  absl::StatusOr<RequestMemory::Share> taken = context_.request_memory->Take(*size);
  if (!taken.ok()) return taken.status();
  *share = *std::move(taken);
  const absl::Status parsed = Parse(bytes, request);
  // The request is not kept twice.
  bytes->Clear();
  return parsed;
}

absl::Status Call::DeadlineFor(const Database& database, bool has_timeout,
                               const google::protobuf::Duration& timeout, TimePoint now,
                               driver::Deadline* deadline) const {
  *deadline = driver::Deadline::None();
  if (has_timeout) {
    Duration requested;
    absl::Status status = FromProto(timeout, &requested);
    if (!status.ok()) return status;
    *deadline = {.at = now + requested, .reason = Reason::kRequestTimeout};
  }
  if (database.limits().query_timeout != Milliseconds::zero()) {
    *deadline = driver::Earlier(
        *deadline, {.at = now + database.limits().query_timeout, .reason = Reason::kQueryTimeout});
  }
  const auto call_deadline = server_context_.deadline();
  if (call_deadline != std::chrono::system_clock::time_point::max()) {
    const auto left = call_deadline - std::chrono::system_clock::now();
    // Far deadlines overflow when converted.
    if (left < std::chrono::hours(24 * 365)) {
      *deadline =
          driver::Earlier(*deadline, {.at = now + std::chrono::duration_cast<Duration>(left),
                                      .reason = Reason::kCallDeadline});
    }
  }
  return absl::OkStatus();
}

size_t Call::ReturningLimit(const Database& database) const {
  size_t most = database.limits().max_returning_bytes;
  const IdentityLimits limits = principal().quota().limits();
  if (limits.enforce && limits.max_result_bytes > 0) most = std::min(most, limits.max_result_bytes);
  return answer_limits_.Returning(most);
}

std::string_view Call::Metadata(const char* key) const {
  const auto& metadata = server_context_.client_metadata();
  const auto found = metadata.find(key);
  if (found == metadata.end()) return {};
  return {found->second.data(), found->second.size()};
}

std::string_view Call::CallerName() {
  if (!caller_.has_value()) caller_ = CallerName(Metadata("x-penstock-application"));
  return *caller_;
}

std::string Call::CallerName(std::string_view application) const {
  constexpr size_t kMaxBytes = 63;
  const bool named = context_.authenticator->configured();
  std::string caller = named ? principal().name() : "";
  if (named && !application.empty()) caller += '/';
  caller += application;
  caller.resize(std::min(caller.size(), kMaxBytes));
  for (char& c : caller) {
    if (c < ' ' || c > '~') c = '?';
  }
  return caller;
}

absl::Status Call::DrainingStatus() {
  return driver::MakeError(Reason::kDraining, "the daemon is shutting down");
}

absl::Status Call::GoneStatus() const {
  if (cancellation_.cancelled()) return cancellation_.status();
  return driver::MakeError(Reason::kCancelled, "the client went away");
}

void Call::NoteStall(Duration waited) {
  context_.metrics->stalled_streams.Add();
  Log(Level::kWarn, "client cut off: it did not read its result",
      {{"peer", server_context_.peer()},
       {"waited_ms", std::chrono::duration_cast<Milliseconds>(waited).count()}});
}

void Call::CheckStall(TimePoint now) {
  const Duration::rep began = write_began_.load(std::memory_order_relaxed);
  if (began == 0 || cancellation_.cancelled()) return;
  const Duration waited = now - TimePoint(Duration(began));
  const Milliseconds limit = context_.config->server.stall_timeout;
  const bool stalled = limit != Milliseconds::zero() && waited >= limit;
  if (!stalled && (waited < kDrainStall || !context_.registry->draining())) return;
  NoteStall(waited);
  cancellation_.Cancel(driver::Deadline{.reason = Reason::kStallTimeout}.Error());
  // A status would wait behind the messages that the client does not take.
  server_context_.TryCancel();
}

absl::Status BidiCall::IdleStatus() const {
  // Nothing was under way, so that what the client sends next may be sent again.
  driver::ErrorInfo info{.retry = driver::Retry::kStatement};
  info.hint = "open another stream, or raise stream_idle_timeout of the server";
  return driver::MakeError(Reason::kLimitExceeded,
                           fmt::format("the stream was idle for {} ms (stream_idle_timeout)",
                                       context_.config->server.stream_idle_timeout.count()),
                           std::move(info));
}

bool BidiCall::IdleTooLong(TimePoint now) const {
  const Milliseconds limit = context_.config->server.stream_idle_timeout;
  const Duration::rep since = idle_since_.load(std::memory_order_relaxed);
  return limit != Milliseconds::zero() && since != 0 &&
         now.time_since_epoch() - Duration(since) > limit;
}

void BidiCall::SetIdle(bool idle) {
  idle_since_.store(idle ? Clock::System().Now().time_since_epoch().count() : 0,
                    std::memory_order_relaxed);
}

void BidiCall::StartRead() {
  Ref();
  stream_.Read(&in_, static_cast<Tag*>(&read_));
}

}  // namespace penstock::server
