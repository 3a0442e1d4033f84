// The gRPC server: addresses, services, and an orderly end.
#ifndef PENSTOCK_SERVER_RPC_GRPC_SERVER_H_
#define PENSTOCK_SERVER_RPC_GRPC_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/rpc/base/context.h"

namespace penstock::server {

// Serves from Start until destroyed.
class GrpcServer {
 public:
  // Listens on every configured address; a path of a unix socket that nobody
  // listens on is taken over. What `context` points to outlives the server. Of more
  // than `max_connections`, or of more than three quarters of them by one peer on
  // the network, the new
  // ones are closed at once.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const RpcContext& context,
                                                           int max_connections);
  // Cancels what is still running.
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // The addresses as bound: a port 0 is replaced by the one chosen.
  const std::vector<std::string>& addresses() const;

  // OK while every address accepts connections, else UNAVAILABLE and why not. Thread-safe.
  absl::Status Ready() const;

  // See Daemon::ReloadCertificates.
  absl::Status ReloadCertificates(const TlsConfig& config);

  // Health turns NOT_SERVING, idle streams end, new calls are refused. Running
  // ones have until `grace` has passed, then they are cancelled. Returns when
  // none is left.
  void Drain(Duration grace);

 private:
  class Impl;
  explicit GrpcServer(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_GRPC_SERVER_H_
