// What every call needs of the daemon.
#ifndef PENSTOCK_SERVER_RPC_CONTEXT_H_
#define PENSTOCK_SERVER_RPC_CONTEXT_H_

#include <string_view>

#include "absl/status/status.h"
#include "server/config/config.h"
#include "server/metrics/metrics.h"
#include "server/session/database.h"
#include "server/session/session.h"

namespace penstock::server {

// All of it outlives the calls.
struct RpcContext {
  Databases* databases;
  Sessions* sessions;
  ServerMetrics* metrics;
  const Config* config;
};

// The end of a statement: counted, and logged if it was slow. `sql` is logged
// as it is, `args` only if the configuration asks for them.
void RecordStatement(const RpcContext& context, Database& database, const driver::StatementRun& run,
                     TimePoint began);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_CONTEXT_H_
