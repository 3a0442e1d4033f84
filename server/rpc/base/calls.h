// The calls. Each is described where it is implemented.
#ifndef PENSTOCK_SERVER_RPC_BASE_CALLS_H_
#define PENSTOCK_SERVER_RPC_BASE_CALLS_H_

#include "grpcpp/completion_queue.h"
#include "server/metrics/methods.h"
#include "server/rpc/base/context.h"

namespace penstock::server {

struct Services;

// The services and the queue from which the next RPC comes.
struct CallSource {
  Services* services;
  grpc::ServerCompletionQueue* queue;
};

// WaitFor<name> makes an object that waits for one RPC of this method, serves it, and
// destroys itself; when the RPC arrives it makes the next.
#define PENSTOCK_METHOD(name, waiting, need) \
  void WaitFor##name(const RpcContext& context, const CallSource& source);
PENSTOCK_METHODS(PENSTOCK_METHOD)
#undef PENSTOCK_METHOD

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_CALLS_H_
