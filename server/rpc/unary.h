// The calls that take one message and answer with one. They are few and rare,
// so gRPC's callback API serves them; none of them blocks a thread of it.
#ifndef PENSTOCK_SERVER_RPC_UNARY_H_
#define PENSTOCK_SERVER_RPC_UNARY_H_

#include "penstock/v1/admin.grpc.pb.h"
#include "server/rpc/context.h"
#include "server/rpc/service.h"

namespace penstock::server {

// Ping, on top of the streaming methods.
class DatabaseServiceImpl final : public StreamingService {
 public:
  explicit DatabaseServiceImpl(const RpcContext& context) : context_(context) {}
  grpc::ServerUnaryReactor* Ping(grpc::CallbackServerContext* context,
                                 const v1::PingRequest* request,
                                 v1::PingResponse* response) override;

 private:
  const RpcContext context_;
};

class AdminServiceImpl final : public v1::AdminService::CallbackService {
 public:
  explicit AdminServiceImpl(const RpcContext& context) : context_(context) {}
  grpc::ServerUnaryReactor* ListDatabases(grpc::CallbackServerContext* context,
                                          const v1::ListDatabasesRequest* request,
                                          v1::ListDatabasesResponse* response) override;
  grpc::ServerUnaryReactor* GetStats(grpc::CallbackServerContext* context,
                                     const v1::GetStatsRequest* request,
                                     v1::GetStatsResponse* response) override;

 private:
  const RpcContext context_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_UNARY_H_
