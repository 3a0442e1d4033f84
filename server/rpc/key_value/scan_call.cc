// Scan: streams the entries of a range.
#include "server/rpc/base/calls.h"
#include "server/rpc/base/result_call.h"
#include "server/rpc/base/service.h"
#include "server/rpc/key_value/operations.h"

namespace penstock::server {

void WaitForScan(const RpcContext& context, const CallSource& source) {
  // owns itself
  new OperationCall<ScanOperation>(context, source, WaitForScan, &source.services->key_value,
                                   &KeyValueMethods::RequestScan);
}

}  // namespace penstock::server
