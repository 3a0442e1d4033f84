// Query: runs one statement and streams its rows.
#include "server/rpc/base/calls.h"
#include "server/rpc/base/result_call.h"
#include "server/rpc/base/service.h"
#include "server/rpc/database/operations.h"

namespace penstock::server {

void WaitForQuery(const RpcContext& context, const CallSource& source) {
  // owns itself
  new OperationCall<QueryOperation>(context, source, WaitForQuery, &source.services->database,
                                    &DatabaseMethods::RequestQuery);
}

}  // namespace penstock::server
