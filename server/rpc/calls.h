// The calls. Each is described where it is implemented.
#ifndef PENSTOCK_SERVER_RPC_CALLS_H_
#define PENSTOCK_SERVER_RPC_CALLS_H_

#include "grpcpp/completion_queue.h"
#include "server/rpc/context.h"

namespace penstock::server {

struct Services;

// Where the next RPC comes from.
struct CallSource {
  Services* services;
  grpc::ServerCompletionQueue* queue;
};

// Each makes an object that waits for one RPC of its sort, serves it, and
// destroys itself; when the RPC arrives it makes the next.
void WaitForPing(const RpcContext& context, const CallSource& source);
void WaitForQuery(const RpcContext& context, const CallSource& source);
void WaitForExec(const RpcContext& context, const CallSource& source);
void WaitForPrepare(const RpcContext& context, const CallSource& source);
void WaitForTransaction(const RpcContext& context, const CallSource& source);
void WaitForGet(const RpcContext& context, const CallSource& source);
void WaitForBatchGet(const RpcContext& context, const CallSource& source);
void WaitForPut(const RpcContext& context, const CallSource& source);
void WaitForDelete(const RpcContext& context, const CallSource& source);
void WaitForDeleteRange(const RpcContext& context, const CallSource& source);
void WaitForScan(const RpcContext& context, const CallSource& source);
void WaitForWrite(const RpcContext& context, const CallSource& source);
void WaitForMigrate(const RpcContext& context, const CallSource& source);
void WaitForMigrationStatus(const RpcContext& context, const CallSource& source);
void WaitForListDatabases(const RpcContext& context, const CallSource& source);
void WaitForGetStats(const RpcContext& context, const CallSource& source);
void WaitForHealthCheck(const RpcContext& context, const CallSource& source);
void WaitForHealthWatch(const RpcContext& context, const CallSource& source);
void WaitForReflection(const RpcContext& context, const CallSource& source);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_CALLS_H_
