// The audit: who did what.
#ifndef PENSTOCK_SERVER_RPC_BASE_AUDIT_H_
#define PENSTOCK_SERVER_RPC_BASE_AUDIT_H_

#include <string_view>

#include "absl/status/status.h"
#include "drivers/api/driver.h"
#include "grpcpp/server_context.h"
#include "server/auth/principal.h"
#include "server/database/database.h"
#include "server/metrics/methods.h"
#include "server/rpc/base/context.h"

namespace penstock::server {

// Logs a call that has ended: to the audit if it migrates or administers, unless the configuration
// turns that off; and as a warning, however it was ended by, if its caller was refused. `principal`
// is null for a caller who did not prove who he is, `database` for a call that found none.
void AuditCall(const RpcContext& context, Rpc rpc, const grpc::ServerContext& call,
               const Principal* principal, const Database* database, const absl::Status& end);

// Logs a statement that has ended and may have written, if the configuration asks for that. `who`
// is the caller's identity and application, as Call::CallerName has them.
void AuditStatement(const RpcContext& context, std::string_view who, const Database& database,
                    const driver::StatementRun& run);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_AUDIT_H_
