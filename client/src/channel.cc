// How a call finds a daemon.
//
// A Channel has one current gRPC connection, in `connection_` under `mutex_`; nothing else here
// needs a lock. Connections are shared by all threads. Renew and Avoid replace the current one and
// never close the old one: calls that run over it end by themselves, and the last reference closes
// it.
//
// The library, not gRPC, decides what is sent twice, because gRPC does not know which statements
// write: its retries are off. Call repeats an attempt only if that certainly had no effect, and at
// most once unless the daemon merely lacked room. The repetition uses a new connection, since the
// old one may remember that there was no daemon and pause before it tries again.
//
// gRPC learns that a daemon has gone only when it polls its sockets, and between calls nobody does.
// Current therefore polls first. A daemon that goes after that is noticed by the call itself.
//
// The token is part of a call's metadata, not of the connection, so that a new one needs no new
// connection. Check and CheckQuery see to it that it is up to date before a call is set up.
//
// A forked child must not touch gRPC: Check and CheckQuery, which come before every call, refuse
// it, and destructors leave gRPC's objects alone if forked() is true.
#include "client/src/channel.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "client/src/cancellation.h"
#include "client/src/format.h"
#include "client/src/read_file.h"
#include "client/src/status.h"
#include "client/src/target.h"
#include "client/src/tls_link.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace penstock::internal {
namespace {

// How long the answer to a keepalive ping may take.
constexpr int64_t kKeepaliveTimeoutMs = 10'000;
// The pauses between connection attempts are short, so that a restarted daemon is found soon.
constexpr int kFirstReconnectBackoffMs = 100;
constexpr int kMaxReconnectBackoffMs = 2'000;
// For gRPC the "minimum" back-off is also the limit of one attempt to connect. The caller's
// deadline usually ends an attempt earlier; this is the limit for callers without one.
constexpr int kConnectCeilingMs = 20'000;
// How soon gRPC may resolve a name again, for daemons that have moved to another address.
constexpr int kResolveAgainMs = 1'000;

absl::Status ReadPem(const std::string& path, std::string* content) {
  if (path.empty()) return absl::OkStatus();
  absl::StatusOr<std::string> read = ReadFile(path);
  if (!read.ok()) return read.status();
  if (read->empty()) return absl::InvalidArgumentError(internal::Format("{} is empty", path));
  *content = *std::move(read);
  return absl::OkStatus();
}

absl::Status CheckConfig(const Config& config) {
  if (absl::Status target = LinkTarget(config.target).status(); !target.ok()) return target;
  if (config.max_message_bytes < 1024 ||
      config.max_message_bytes > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return absl::InvalidArgumentError(
        internal::Format("Config.max_message_bytes is {}; it must be from 1024 to {}",
                         config.max_message_bytes, std::numeric_limits<int>::max()));
  }
  if (config.keepalive < absl::Seconds(1) || config.keepalive > absl::Hours(24)) {
    return absl::InvalidArgumentError(
        internal::Format("Config.keepalive is {}; it must be from 1s to 24h",
                         absl::FormatDuration(config.keepalive)));
  }
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (config.application_name.size() > 63 ||
      !std::all_of(config.application_name.begin(), config.application_name.end(), printable)) {
    return absl::InvalidArgumentError(
        "Config.application_name must have at most 63 characters, all of printable ASCII");
  }
  if (config.tls.cert_file.empty() != config.tls.key_file.empty()) {
    return absl::InvalidArgumentError(
        "Config.tls has only one of cert_file and key_file; set both or neither");
  }
  return CheckTokenConfig(config);
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> Credentials(const TlsConfig& tls) {
  KeepOpenSslToTheEnd();
  if (!tls.enabled()) return grpc::InsecureChannelCredentials();
  grpc::SslCredentialsOptions options;
  absl::Status read = ReadPem(tls.ca_file, &options.pem_root_certs);
  if (read.ok()) read = ReadPem(tls.cert_file, &options.pem_cert_chain);
  if (read.ok()) read = ReadPem(tls.key_file, &options.pem_private_key);
  if (read.ok()) read = CheckTlsFiles(tls);
  if (!read.ok()) return read;
  return grpc::SslCredentials(options);
}

absl::Status ForkedError() {
  return absl::FailedPreconditionError(
      "this process is a fork of one that uses Penstock, and gRPC does not work after fork: call "
      "fork before the first New, or exec in the child");
}

grpc::ChannelArguments Arguments(const Config& config) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(config.max_message_bytes));
  arguments.SetMaxSendMessageSize(static_cast<int>(config.max_message_bytes));
  const int64_t silence = absl::ToInt64Milliseconds(config.keepalive);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, static_cast<int>(silence));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS,
                   static_cast<int>(std::min(silence, kKeepaliveTimeoutMs)));
  // Allows any number of pings without data: a call that waits for long sends none between them.
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kFirstReconnectBackoffMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kConnectCeilingMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectBackoffMs);
  arguments.SetInt(GRPC_ARG_DNS_MIN_TIME_BETWEEN_RESOLUTIONS_MS, kResolveAgainMs);
  // The daemon is nearby; a proxy in the environment is not meant for it.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Keeps gRPC from sharing connections between Providers, or between an old and a renewed
  // Connection: each has its own limits and pauses.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Only Channel::Call repeats calls.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  return arguments;
}

// The channel that a thread has polled last, and when.
struct Look {
  const Channel* channel = nullptr;
  absl::Time time = absl::InfinitePast();
};
thread_local Look last_look;
// How long the result of a poll is believed. A daemon that goes within this time might as well have
// gone right after the poll.
constexpr absl::Duration kRecentLook = absl::Milliseconds(1);

}  // namespace

Channel::Channel(const Config& for_config, std::shared_ptr<grpc::ChannelCredentials> credentials)
    : config(for_config),
      credentials_(std::move(credentials)),
      tokens_(std::make_unique<TokenSource>(for_config)),
      connection_(Connect()) {}

absl::StatusOr<std::shared_ptr<Channel>> Channel::Make(const Config& config) {
  // The first process that used gRPC here. Its children cannot use it.
  static const pid_t first_user = getpid();
  if (first_user != getpid()) return ForkedError();
  if (absl::Status status = CheckConfig(config); !status.ok()) return status;
  absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> credentials = Credentials(config.tls);
  if (!credentials.ok()) return credentials.status();
  return std::shared_ptr<Channel>(new Channel(config, *std::move(credentials)));
}

std::shared_ptr<Connection> Channel::Connect() const {
  return std::shared_ptr<Connection>(new Connection{
      grpc::CreateCustomChannel(*LinkTarget(config.target), credentials_, Arguments(config))});
}

void Channel::KeepLook() const { last_look = {this, absl::Now()}; }

bool Channel::TakeLook() const {
  const bool recent = last_look.channel == this && absl::Now() - last_look.time < kRecentLook;
  last_look.channel = nullptr;
  return recent;
}

std::shared_ptr<Connection> Channel::Current() {
  if (TakeLook()) {
    const std::lock_guard lock(mutex_);
    return connection_;
  }
  void* tag = nullptr;
  bool ok = false;
  // The deadline has passed, so this reads what waits at the sockets and returns. It takes one poll
  // to read the daemon's GOAWAY and another to read the end of the connection.
  for (int look = 0; look < kLooks; ++look) {
    looker_.AsyncNext(&tag, &ok, std::chrono::system_clock::time_point());
  }
  const std::lock_guard lock(mutex_);
  // gRPC reconnects by itself with the next call, perhaps to a daemon with another database.
  if (connection_->channel->GetState(/*try_to_connect=*/false) != GRPC_CHANNEL_READY) {
    connection_->dialect = kUnknownDialect;
    connection_->lacks_pipeline = false;
  }
  return connection_;
}

std::shared_ptr<Connection> Channel::Renew(const std::shared_ptr<Connection>& old) {
  const std::lock_guard lock(mutex_);
  if (connection_ == old) connection_ = Connect();
  return connection_;
}

void Channel::Avoid(const Connection& stuck) {
  const std::lock_guard lock(mutex_);
  if (connection_.get() == &stuck) connection_ = Connect();
}

bool Channel::Uses(const Connection& connection) const {
  const std::lock_guard lock(mutex_);
  return connection_.get() == &connection;
}

bool Channel::LacksPipeline() const {
  const std::lock_guard lock(mutex_);
  return connection_->lacks_pipeline;
}

void Channel::EndIdle() const {
  if (const std::shared_ptr<IdleStreams> idle = idle_.lock()) idle->EndAll();
}

bool Channel::MayGoAgain(const Context& ctx, Again again, int round) const {
  constexpr int kRoundsForRoom = 4;
  constexpr absl::Duration kPauseForRoom = absl::Milliseconds(10);
  if (again == Again::kNo || !CheckQuery(ctx).ok()) return false;
  if (again != Again::kWithRoom) return round == 1;
  const std::shared_ptr<IdleStreams> idle = idle_.lock();
  if (idle == nullptr || round == kRoundsForRoom) return false;
  idle->EndAll();
  // The daemon needs a moment to end them.
  return !ctx.cancellation()->WaitUntil(absl::Now() + round * kPauseForRoom);
}

absl::Status Channel::CheckOpen(const Context& ctx) const {
  if (forked()) return ForkedError();
  if (open.cancelled()) return absl::FailedPreconditionError("the provider has been closed");
  return CheckBeforeCall(ctx);
}

absl::Status Channel::CheckStep(const Context& ctx) const {
  if (ctx.staleness().has_value()) {
    return InvalidParameter(
        "a context with a staleness can only be used for Query outside of a transaction; use a "
        "context without one for this call");
  }
  return CheckOpen(ctx);
}

absl::Status Channel::Check(const Context& ctx) const {
  absl::Status status = CheckStep(ctx);
  return status.ok() ? tokens_->Refresh(absl::Now()) : status;
}

absl::Status Channel::RefuseSettings(const Context& ctx) {
  if (ctx.settings().empty()) return absl::OkStatus();
  return InvalidParameter(
      "a context with settings can only be used for statements and transactions; use a context "
      "without them for this call");
}

absl::Status Channel::CheckWithoutSettings(const Context& ctx) const {
  absl::Status status = RefuseSettings(ctx);
  return status.ok() ? Check(ctx) : status;
}

absl::Status Channel::CheckQuery(const Context& ctx) const {
  absl::Status status = CheckOpen(ctx);
  return status.ok() ? tokens_->Refresh(absl::Now()) : status;
}

absl::Status Channel::CheckSize(const google::protobuf::MessageLite& message) const {
  const size_t size = message.ByteSizeLong();
  if (size <= config.max_message_bytes) return absl::OkStatus();
  return MessageTooLarge(
      internal::Format("the request has {} bytes, more than max_message_bytes ({})", size,
                       config.max_message_bytes));
}

Authorization Channel::SetUp(const Context& ctx, grpc::ClientContext* call) const {
  Authorization token = tokens_->Current();
  if (token != nullptr) call->AddMetadata("authorization", *token);
  if (!config.application_name.empty()) {
    call->AddMetadata("x-penstock-application", config.application_name);
  }
  // The daemon must know the limit: a larger answer would be lost here, after the statement was
  // run.
  call->AddMetadata("x-penstock-max-message-bytes", std::to_string(config.max_message_bytes));
  if (!ctx.trace_parent().empty()) call->AddMetadata("traceparent", ctx.trace_parent());
  return token;
}

absl::Status Channel::Explain(const absl::Status& end, const Context& ctx, bool gave_up) const {
  // The daemon's own error says more than this client could guess.
  if (end.ok() || HasDetail(end)) return end;
  if (open.cancelled()) return absl::FailedPreconditionError("the provider has been closed");
  if (gave_up || absl::IsDeadlineExceeded(end)) return CallDeadlinePassed();
  if (ctx.cancelled()) return CancelledByCaller();
  if (absl::IsCancelled(end)) return CutOff();
  return end;
}

}  // namespace penstock::internal
