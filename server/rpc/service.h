// How the streaming RPCs are asked for.
#ifndef PENSTOCK_SERVER_RPC_SERVICE_H_
#define PENSTOCK_SERVER_RPC_SERVICE_H_

#include "penstock/v1/database.grpc.pb.h"

namespace penstock::server {

// DatabaseService with its streaming methods as bytes on a completion queue,
// and its unary one by gRPC's callback API (see ping.h).
using StreamingService =
    v1::DatabaseService::WithRawMethod_Query<v1::DatabaseService::WithRawMethod_Exec<
        v1::DatabaseService::WithRawMethod_Prepare<v1::DatabaseService::WithRawMethod_Transaction<
            v1::DatabaseService::WithCallbackMethod_Ping<v1::DatabaseService::Service>>>>>;

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_SERVICE_H_
