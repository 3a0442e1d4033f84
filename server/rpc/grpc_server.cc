#include "server/rpc/grpc_server.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "drivers/api/error.h"
#include "fmt/format.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "server/rpc/calls.h"
#include "server/rpc/io.h"
#include "server/rpc/service.h"
#include "server/rpc/unix_socket.h"

namespace penstock::server {
namespace {

// Calls of each sort that wait to be matched with an RPC; each that is matched is replaced.
// Few, because Debian builds gRPC with its checks on: at every event it looks for the event's
// tag among all outstanding ones of the queue, oldest first.
constexpr int kWaitingCalls = 8;

constexpr std::string_view kUnixPrefix = "unix:";

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(fmt::format("cannot read {}: {}", path, strerror(errno)));
  return std::string(std::istreambuf_iterator<char>(file), {});
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> Credentials(const ServerConfig& config) {
  if (!config.tls.has_value()) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options(
      config.tls->client_ca_file.empty()
          ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
          : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  absl::StatusOr<std::string> key = ReadFile(config.tls->key_file);
  if (!key.ok()) return key.status();
  absl::StatusOr<std::string> certificate = ReadFile(config.tls->cert_file);
  if (!certificate.ok()) return certificate.status();
  options.pem_key_cert_pairs.push_back({*std::move(key), *std::move(certificate)});
  if (!config.tls->client_ca_file.empty()) {
    absl::StatusOr<std::string> authority = ReadFile(config.tls->client_ca_file);
    if (!authority.ok()) return authority.status();
    options.pem_root_certs = *std::move(authority);
  }
  return grpc::SslServerCredentials(options);
}

}  // namespace

class GrpcServer::Impl {
 public:
  explicit Impl(const RpcContext& context) : context_(WithCounter(context, &live_calls_)) {}

  ~Impl() {
    for (const auto& socket : unix_sockets_) socket->Withdraw();
    if (server_ != nullptr) {
      context_.sessions->Drain(true);
      server_->Shutdown(std::chrono::system_clock::now());
      server_->Wait();
      live_calls_.WaitUntilNone();
    }
    io_.reset();
  }

  absl::Status Start() {
    const ServerConfig& config = context_.config->server;
    grpc::ServerBuilder builder;
    std::vector<int> ports(config.listen.size(), -1);
    absl::Status listening = AddAddresses(&builder, &ports);
    if (!listening.ok()) return listening;
    builder.SetMaxReceiveMessageSize(static_cast<int>(config.max_message_bytes));
    builder.SetMaxSendMessageSize(-1);  // checked by us, with a better error
    // Keeps long idle streams alive through NATs, and lets clients do so.
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    // Answers are never compressed, so the filter that would is left out. Compressed
    // requests are still understood.
    builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
    builder.RegisterService(&services_.database);
    builder.RegisterService(&services_.key_value);
    builder.RegisterService(&services_.migration);
    builder.RegisterService(&services_.admin);
    builder.RegisterService(&services_.health);
    builder.RegisterService(&services_.reflection);
    io_ = std::make_unique<IoThreads>(builder.AddCompletionQueue());
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) {
      return absl::UnavailableError(fmt::format("cannot listen on {}; is another process there?",
                                                fmt::join(config.listen, ", ")));
    }
    for (const auto& socket : unix_sockets_) {
      absl::Status published = socket->Publish();
      if (!published.ok()) return published;
    }
    for (size_t i = 0; i < ports.size(); ++i) addresses_.push_back(BoundAddress(i, ports[i]));
    const CallSource source{.services = &services_, .queue = io_->queue()};
    for (int i = 0; i < kWaitingCalls; ++i) {
      WaitForQuery(context_, source);
      WaitForExec(context_, source);
      WaitForPrepare(context_, source);
      WaitForTransaction(context_, source);
      WaitForGet(context_, source);
      WaitForBatchGet(context_, source);
      WaitForPut(context_, source);
      WaitForDelete(context_, source);
      WaitForScan(context_, source);
      WaitForWrite(context_, source);
    }
    WaitForDeleteRange(context_, source);
    WaitForPing(context_, source);
    WaitForMigrate(context_, source);
    WaitForMigrationStatus(context_, source);
    WaitForListDatabases(context_, source);
    WaitForGetStats(context_, source);
    WaitForHealthCheck(context_, source);
    WaitForHealthWatch(context_, source);
    WaitForReflection(context_, source);
    io_->Start();
    return absl::OkStatus();
  }

  void Drain(Duration grace) {
    context_.sessions->Drain(false);
    if (!context_.sessions->WaitUntilEmpty(Clock::System().Now() + grace)) {
      context_.sessions->Drain(true);
      // A statement notices within milliseconds; a client that takes nothing
      // is cut off by the shutdown that follows.
      context_.sessions->WaitUntilEmpty(Clock::System().Now() + std::chrono::seconds(1));
    }
  }

  const std::vector<std::string>& addresses() const { return addresses_; }

 private:
  absl::Status AddAddresses(grpc::ServerBuilder* builder, std::vector<int>* ports) {
    const ServerConfig& config = context_.config->server;
    absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> credentials = Credentials(config);
    if (!credentials.ok()) return credentials.status();
    for (size_t i = 0; i < config.listen.size(); ++i) {
      const std::string& address = config.listen[i];
      if (address.starts_with(kUnixPrefix)) {
        absl::StatusOr<std::unique_ptr<UnixSocket>> socket =
            UnixSocket::Prepare(address.substr(kUnixPrefix.size()));
        if (!socket.ok()) return socket.status();
        // The file system's permissions guard it.
        builder->AddListeningPort((*socket)->grpc_address(), grpc::InsecureServerCredentials(),
                                  &(*ports)[i]);
        unix_sockets_.push_back(*std::move(socket));
      } else {
        builder->AddListeningPort(address, *credentials, &(*ports)[i]);
      }
    }
    return absl::OkStatus();
  }

  std::string BoundAddress(size_t index, int port) const {
    const std::string& address = context_.config->server.listen[index];
    if (address.starts_with(kUnixPrefix)) return address;
    return fmt::format("{}:{}", address.substr(0, address.rfind(':')), port);
  }

  static RpcContext WithCounter(RpcContext context, LiveCalls* live_calls) {
    context.live_calls = live_calls;
    return context;
  }

  LiveCalls live_calls_;
  const RpcContext context_;
  Services services_;
  std::unique_ptr<IoThreads> io_;
  std::unique_ptr<grpc::Server> server_;
  std::vector<std::string> addresses_;
  std::vector<std::unique_ptr<UnixSocket>> unix_sockets_;
};

GrpcServer::GrpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GrpcServer::~GrpcServer() = default;

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const RpcContext& context) {
  // Debian builds Abseil with its search for deadlocks on, which looks every lock of
  // gRPC's up in a graph under one global lock.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  auto impl = std::make_unique<Impl>(context);
  absl::Status started = impl->Start();
  if (!started.ok()) return started;
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(impl)));
}

const std::vector<std::string>& GrpcServer::addresses() const { return impl_->addresses(); }

void GrpcServer::Drain(Duration grace) { impl_->Drain(grace); }

}  // namespace penstock::server
