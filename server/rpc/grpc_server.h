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
  // Listens on every configured address; a path of a unix socket that nobody listens on is taken
  // over. The objects of `context` outlive the server. If more than `max_connections` come, or more
  // than three quarters of them from one peer on the network, the new ones are closed at once.
  static absl::StatusOr<std::unique_ptr<GrpcServer>> Start(const RpcContext& context,
                                                           int max_connections);
  // Cancels what is still running.
  ~GrpcServer();
  GrpcServer(const GrpcServer&) = delete;
  GrpcServer& operator=(const GrpcServer&) = delete;

  // The addresses as they were bound, with the chosen port in place of 0.
  const std::vector<std::string>& addresses() const;

  // Returns OK while every address accepts connections, else UNAVAILABLE with the reason.
  // Thread-safe.
  absl::Status Ready() const;

  // Turns health NOT_SERVING, ends idle streams and refuses new calls. Running ones have until
  // `grace` has passed, then they are cancelled. Returns when none is left.
  void Drain(Duration grace);

 private:
  class Impl;
  explicit GrpcServer(std::unique_ptr<Impl> impl);
  const std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_GRPC_SERVER_H_
