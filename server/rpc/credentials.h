// The credentials of the gRPC server.
#ifndef PENSTOCK_SERVER_RPC_CREDENTIALS_H_
#define PENSTOCK_SERVER_RPC_CREDENTIALS_H_

#include <memory>

#include "grpcpp/security/server_credentials.h"
#include "server/config/config.h"
#include "server/net/certificates.h"

namespace penstock::server {

// Returns TLS credentials for one address, whose handshakes have the latest certificates. Whether
// clients are asked for a certificate, and need one, is as `config` says from now on.
// `certificates` outlive the credentials.
std::shared_ptr<grpc::ServerCredentials> FollowingCredentials(const TlsConfig& config,
                                                              const Certificates* certificates);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_CREDENTIALS_H_
