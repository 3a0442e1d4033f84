// The streaming calls. Each is described where it is implemented.
#ifndef PENSTOCK_SERVER_RPC_CALLS_H_
#define PENSTOCK_SERVER_RPC_CALLS_H_

#include "grpcpp/completion_queue.h"
#include "server/rpc/context.h"
#include "server/rpc/service.h"

namespace penstock::server {

// Where the next RPC comes from.
struct CallSource {
  StreamingService* service;
  grpc::ServerCompletionQueue* queue;
};

// Each makes an object that waits for one RPC of its sort, serves it, and
// destroys itself; when the RPC arrives it makes the next.
void WaitForQuery(const RpcContext& context, const CallSource& source);
void WaitForExec(const RpcContext& context, const CallSource& source);
void WaitForPrepare(const RpcContext& context, const CallSource& source);
void WaitForTransaction(const RpcContext& context, const CallSource& source);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_CALLS_H_
