// Finds out who makes a call.
#ifndef PENSTOCK_SERVER_RPC_BASE_CALLER_H_
#define PENSTOCK_SERVER_RPC_BASE_CALLER_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "grpcpp/server_context.h"
#include "server/auth/authenticator.h"
#include "server/database/database.h"
#include "server/metrics/methods.h"
#include "server/rpc/base/context.h"

namespace penstock::server {

// Returns who makes the call that has arrived, by the process at the other end of its unix socket,
// its client certificate and its token. Fails with kUnauthenticated if the method needs an identity
// and the call has none, or presents something wrong.
absl::StatusOr<Access> Authenticate(const RpcContext& context, Rpc rpc,
                                    const grpc::ServerContext& call);

// Finds the database of a request for a caller who has the right that the method needs on it. An
// empty name is the default. Fails with kNotAllowed, or as Databases::Find does.
absl::StatusOr<Database*> FindDatabase(const RpcContext& context, Rpc rpc,
                                       const Principal& principal, std::string_view name);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_CALLER_H_
