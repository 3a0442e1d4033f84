// The credentials of the gRPC server.
#ifndef PENSTOCK_SERVER_RPC_CREDENTIALS_H_
#define PENSTOCK_SERVER_RPC_CREDENTIALS_H_

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/status.h"
#include "grpc/grpc_security.h"
#include "grpcpp/security/server_credentials.h"
#include "server/config/config.h"

namespace penstock::server {

// TLS with certificates that can be replaced: each handshake has the latest. Thread-safe.
class ReloadableTls {
 public:
  // Reads the files. The error names the one that cannot be read; what was read before stays in
  // force. The configuration checks that key and certificate belong together.
  absl::Status Load(const TlsConfig& config);

  // Returns credentials for one address, with what Load has read and will read. `tls` has loaded,
  // and whether it has a client_ca_file does not change.
  static std::shared_ptr<grpc::ServerCredentials> Credentials(std::shared_ptr<ReloadableTls> tls);

  // Gives a handshake its certificates, if they are newer than `seen`; see
  // grpc_ssl_server_certificate_config_callback.
  grpc_ssl_certificate_config_reload_status Fetch(uint64_t* seen,
                                                  grpc_ssl_server_certificate_config** out);

 private:
  std::mutex mutex_;
  std::string key_;
  std::string certificate_;
  std::string authority_;  // empty: clients are not asked for a certificate
  bool requires_clients_ = true;
  uint64_t generation_ = 0;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_CREDENTIALS_H_
