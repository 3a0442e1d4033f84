#include "client/src/channel.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "client/src/cancellation.h"
#include "client/src/read_file.h"
#include "client/src/status.h"
#include "client/src/tls_link.h"
#include "client/src/unix_target.h"
#include "fmt/format.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/support/channel_arguments.h"

namespace penstock::internal {
namespace {

// A link over which nothing comes back is given up after at most the sum.
constexpr int kKeepaliveTimeMs = 30'000;
constexpr int kKeepaliveTimeoutMs = 10'000;
// A daemon that was restarted is found soon.
constexpr int kMaxReconnectBackoffMs = 2'000;
constexpr int kMinReconnectBackoffMs = 100;

absl::Status ReadPem(const std::string& path, std::string* content) {
  if (path.empty()) return absl::OkStatus();
  absl::StatusOr<std::string> read = ReadFile(path);
  if (!read.ok()) return read.status();
  if (read->empty()) return absl::InvalidArgumentError(fmt::format("{} is empty", path));
  *content = *std::move(read);
  return absl::OkStatus();
}

absl::Status CheckConfig(const Config& config) {
  if (config.target.empty()) {
    return absl::InvalidArgumentError("Config.target is empty: host:port or unix:/path");
  }
  if (config.max_message_bytes < 1024 ||
      config.max_message_bytes > static_cast<size_t>(std::numeric_limits<int>::max())) {
    return absl::InvalidArgumentError(fmt::format("Config.max_message_bytes is {}: from 1024 to {}",
                                                  config.max_message_bytes,
                                                  std::numeric_limits<int>::max()));
  }
  const auto printable = [](char c) { return c >= ' ' && c <= '~'; };
  if (config.application_name.size() > 63 ||
      !std::all_of(config.application_name.begin(), config.application_name.end(), printable)) {
    return absl::InvalidArgumentError(
        "Config.application_name has at most 63 characters, of printable ASCII");
  }
  if (config.tls.cert_file.empty() != config.tls.key_file.empty()) {
    return absl::InvalidArgumentError("Config.tls needs both of cert_file and key_file, or none");
  }
  return absl::OkStatus();
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

}  // namespace

absl::StatusOr<std::shared_ptr<Channel>> Channel::Make(const Config& config) {
  if (absl::Status status = CheckConfig(config); !status.ok()) return status;
  const absl::StatusOr<std::string> target = GrpcTarget(config.target);
  if (!target.ok()) return target.status();
  absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> credentials = Credentials(config.tls);
  if (!credentials.ok()) return credentials.status();

  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(static_cast<int>(config.max_message_bytes));
  arguments.SetMaxSendMessageSize(static_cast<int>(config.max_message_bytes));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 0);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, kMinReconnectBackoffMs);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, kMinReconnectBackoffMs);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, kMaxReconnectBackoffMs);
  // The daemon is a neighbour: a proxy of the environment is not meant for it.
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  // Providers do not share a link; one's limits and fate are its own.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // Nothing is sent a second time behind the caller's back.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);

  auto channel = std::make_shared<Channel>();
  channel->config = config;
  const std::shared_ptr<grpc::Channel> link =
      grpc::CreateCustomChannel(*target, *credentials, arguments);
  channel->database = v1::DatabaseService::NewStub(link);
  channel->key_value = v1::KeyValueService::NewStub(link);
  channel->admin = v1::AdminService::NewStub(link);
  channel->migration = v1::MigrationService::NewStub(link);
  return channel;
}

absl::Status Channel::Check(const Context& ctx) const {
  if (open.cancelled()) return absl::FailedPreconditionError("the provider has been closed");
  return CheckBeforeCall(ctx);
}

absl::Status Channel::CheckSize(const google::protobuf::MessageLite& message) const {
  const size_t size = message.ByteSizeLong();
  if (size <= config.max_message_bytes) return absl::OkStatus();
  return MessageTooLarge(fmt::format("the request has {} bytes, more than max_message_bytes ({})",
                                     size, config.max_message_bytes));
}

void Channel::SetUp(const Context& ctx, grpc::ClientContext* call) const {
  if (!config.application_name.empty()) {
    call->AddMetadata("x-penstock-application", config.application_name);
  }
  if (!ctx.trace_parent().empty()) call->AddMetadata("traceparent", ctx.trace_parent());
}

absl::Status Channel::Explain(const absl::Status& end, const Context& ctx, bool gave_up) const {
  // What the daemon says in detail is better than what can be guessed here.
  if (end.ok() || HasDetail(end)) return end;
  if (open.cancelled()) return absl::FailedPreconditionError("the provider has been closed");
  if (gave_up || absl::IsDeadlineExceeded(end)) return CallDeadlinePassed();
  if (ctx.cancelled()) return CancelledByCaller();
  return end;
}

}  // namespace penstock::internal
