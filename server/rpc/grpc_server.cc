#include "server/rpc/grpc_server.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "drivers/api/error.h"
#include "fmt/format.h"
#include "grpcpp/resource_quota.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "grpcpp/server_posix.h"
#include "server/config/address.h"
#include "server/log/log.h"
#include "server/net/acceptor.h"
#include "server/net/connections.h"
#include "server/net/listener.h"
#include "server/net/peer_processes.h"
#include "server/net/unix_socket.h"
#include "server/rpc/base/calls.h"
#include "server/rpc/base/io.h"
#include "server/rpc/base/request_memory.h"
#include "server/rpc/base/service.h"
#include "server/rpc/credentials.h"
#include "server/runtime/file_modes.h"

namespace penstock::server {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";

// A client that has connected and does not begin to speak is cut off after this time.
constexpr int kHandshakeMilliseconds = 20'000;

}  // namespace

class GrpcServer::Impl {
 public:
  Impl(const RpcContext& context, int max_connections)
      : request_memory_(RequestMemoryOf(context.config->server)),
        context_(WithOwn(context)),
        // Leaves a quarter to others than one peer on the network.
        connections_(max_connections, max_connections - max_connections / 4) {}

  ~Impl() {
    for (const auto& socket : unix_sockets_) socket->Withdraw();
    if (server_ != nullptr) {
      context_.registry->Drain(true);
      acceptor_->Stop();
      server_->Shutdown(std::chrono::system_clock::now());
      server_->Wait();
      live_calls_.WaitUntilNone();
    }
    io_.reset();
  }

  absl::Status Start() {
    const ServerConfig& config = context_.config->server;
    grpc::ServerBuilder builder;
    std::vector<UniqueFd> listeners;
    absl::Status listening = AddAddresses(&builder, &listeners);
    if (!listening.ok()) return listening;
    builder.SetMaxReceiveMessageSize(static_cast<int>(config.max_message_bytes));
    builder.SetMaxSendMessageSize(-1);  // checked by us, with a better error
    // Keeps long idle streams alive through NATs, and lets clients do so.
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 10'000);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMilliseconds);
    // Answers are never compressed, so the filter that would is left out. Compressed
    // requests are refused: one is expanded before its size is looked at.
    builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0);
    builder.AddChannelArgument(GRPC_ARG_ENABLE_PER_MESSAGE_DECOMPRESSION, 0);
    builder.AddChannelArgument(GRPC_COMPRESSION_CHANNEL_ENABLED_ALGORITHMS_BITSET,
                               1 << GRPC_COMPRESS_NONE);
    // Nobody takes all sessions with one connection.
    builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, config.max_streams);
    // gRPC resets streams when requests that have not arrived whole take more than this.
    builder.SetResourceQuota(grpc::ResourceQuota("penstockd").Resize(request_memory_.most()));
    builder.RegisterService(&services_.database);
    builder.RegisterService(&services_.key_value);
    builder.RegisterService(&services_.migration);
    builder.RegisterService(&services_.admin);
    builder.RegisterService(&services_.health);
    builder.RegisterService(&services_.reflection);
    io_ = std::make_unique<IoThreads>(builder.AddCompletionQueue());
    server_ = builder.BuildAndStart();
    if (server_ == nullptr) return absl::UnavailableError("cannot start gRPC");
    for (const auto& socket : unix_sockets_) {
      absl::Status published = socket->Publish(SocketMode());
      if (!published.ok()) return published;
    }
    const CallSource source{.services = &services_, .queue = io_->queue()};
#define PENSTOCK_METHOD(name, waiting, need) \
  for (int i = 0; i < (waiting); ++i) WaitFor##name(context_, source);
    PENSTOCK_METHODS(PENSTOCK_METHOD)
#undef PENSTOCK_METHOD
    io_->Start();
    acceptor_.emplace(
        "gRPC", std::move(listeners),
        Acceptor::Handlers{.accept = [this](Accepted it) { Take(std::move(it)); }, .tick = {}});
    return absl::OkStatus();
  }

  absl::Status Ready() {
    const absl::Status accepting = acceptor_->Health();
    return accepting.ok() ? connections_.Health() : accepting;
  }

  void Drain(Duration grace) {
    context_.registry->Drain(false);
    if (!context_.registry->WaitUntilEmpty(Clock::System().Now() + grace)) {
      context_.registry->Drain(true);
      // A statement notices within milliseconds; a client that takes nothing
      // is cut off by the shutdown that follows.
      context_.registry->WaitUntilEmpty(Clock::System().Now() + std::chrono::seconds(1));
    }
  }

  const std::vector<std::string>& addresses() const { return addresses_; }

 private:
  // Passes the connections of one TCP address to gRPC.
  using Entrance = grpc::experimental::ExternalConnectionAcceptor;

  // Listens on every address. gRPC accepts nothing by itself: its listener stops for good
  // when descriptors are short once.
  absl::Status AddAddresses(grpc::ServerBuilder* builder, std::vector<UniqueFd>* listeners) {
    const ServerConfig& config = context_.config->server;
    for (const std::string& address : config.listen) {
      const bool is_unix = address.starts_with(kUnixPrefix);
      absl::Status added = is_unix ? AddUnix(address, listeners) : AddTcp(address, listeners);
      if (!added.ok()) return added;
      entrance_of_.resize(listeners->size(), is_unix ? nullptr : AddEntrance(builder));
    }
    return absl::OkStatus();
  }

  Entrance* AddEntrance(grpc::ServerBuilder* builder) {
    const std::optional<TlsConfig>& tls = context_.config->server.tls;
    const auto credentials =
        tls ? FollowingCredentials(*tls, context_.certificates) : grpc::InsecureServerCredentials();
    entrances_.push_back(builder->experimental().AddExternalConnectionAcceptor(
        grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, credentials));
    return entrances_.back().get();
  }

  absl::Status AddUnix(const std::string& address, std::vector<UniqueFd>* listeners) {
    absl::StatusOr<std::unique_ptr<UnixSocket>> socket =
        UnixSocket::Prepare(address.substr(kUnixPrefix.size()));
    if (!socket.ok()) return socket.status();
    absl::StatusOr<UniqueFd> listener = ListenUnix((*socket)->bound_path());
    if (!listener.ok()) return CannotListen(address, listener.status());
    unix_sockets_.push_back(*std::move(socket));
    listeners->push_back(*std::move(listener));
    addresses_.push_back(address);
    return absl::OkStatus();
  }

  absl::Status AddTcp(const std::string& address, std::vector<UniqueFd>* listeners) {
    const absl::StatusOr<Address> parsed = ParseAddress(address);
    if (!parsed.ok()) return parsed.status();
    absl::StatusOr<std::vector<UniqueFd>> opened = ListenTcp(parsed->host, parsed->port);
    if (!opened.ok()) return CannotListen(address, opened.status());
    addresses_.push_back(fmt::format("{}:{}", address.substr(0, address.rfind(':')),
                                     LocalPort(opened->front().get())));
    for (UniqueFd& listener : *opened) listeners->push_back(std::move(listener));
    return absl::OkStatus();
  }

  static absl::Status CannotListen(const std::string& address, const absl::Status& why) {
    return absl::UnavailableError(
        fmt::format("cannot listen on {}: {}; check whether another process does", address,
                    std::string(why.message())));
  }

  void Take(Accepted accepted) {
    const std::string peer = PeerName(accepted.peer);
    Entrance* const entrance = entrance_of_[accepted.listener];
    if (entrance == nullptr) accepted.fd = peer_processes_.Add(std::move(accepted.fd));
    if (!accepted.fd) {
      Log(Level::kWarn, "a connection was refused", {{"peer", peer}, {"limit", "descriptors"}});
      return;
    }
    const absl::Status admitted = connections_.Admit(accepted.fd.get(), peer);
    if (!admitted.ok()) {
      Log(Level::kWarn, "a connection was refused",
          {{"peer", peer}, {"limit", std::string(admitted.message())}});
      return;
    }
    if (entrance == nullptr) {
      // gRPC names this connection by its descriptor, by which peer_processes_ knows it. A unix
      // socket has no TLS: who reaches it is guarded by the file system's permissions.
      return grpc::AddInsecureChannelFromFd(server_.get(), accepted.fd.Release());
    }
    Entrance::NewConnectionParameters parameters;
    parameters.fd = accepted.fd.Release();
    entrance->HandleNewConnection(&parameters);
  }

  RpcContext WithOwn(RpcContext context) {
    context.live_calls = &live_calls_;
    context.request_memory = &request_memory_;
    context.peer_processes = &peer_processes_;
    return context;
  }

  LiveCalls live_calls_;
  PeerProcesses peer_processes_;
  RequestMemory request_memory_;
  const RpcContext context_;
  Services services_;
  std::unique_ptr<IoThreads> io_;
  std::unique_ptr<grpc::Server> server_;
  std::vector<std::string> addresses_;
  std::vector<std::unique_ptr<UnixSocket>> unix_sockets_;
  std::vector<std::unique_ptr<Entrance>> entrances_;
  // The entrance of each listening socket, by its index; null for a unix socket.
  std::vector<Entrance*> entrance_of_;
  Connections connections_;
  std::optional<Acceptor> acceptor_;
};

GrpcServer::GrpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GrpcServer::~GrpcServer() = default;

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const RpcContext& context,
                                                              int max_connections) {
  // Debian builds Abseil with its search for deadlocks on, which looks every lock of
  // gRPC's up in a graph under one global lock.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  auto impl = std::make_unique<Impl>(context, max_connections);
  absl::Status started = impl->Start();
  if (!started.ok()) return started;
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(impl)));
}

const std::vector<std::string>& GrpcServer::addresses() const { return impl_->addresses(); }

absl::Status GrpcServer::Ready() const { return impl_->Ready(); }

void GrpcServer::Drain(Duration grace) { impl_->Drain(grace); }

}  // namespace penstock::server
