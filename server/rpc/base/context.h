// The parts of the daemon that every call uses.
#ifndef PENSTOCK_SERVER_RPC_BASE_CONTEXT_H_
#define PENSTOCK_SERVER_RPC_BASE_CONTEXT_H_

#include <condition_variable>
#include <mutex>
#include <string_view>

#include "absl/status/status.h"
#include "server/config/config.h"
#include "server/database/database.h"
#include "server/metrics/metrics.h"
#include "server/registry/call_registry.h"

namespace penstock::server {

// Counts the objects that hold operations of gRPC's, including those that wait for an RPC. The
// completion queue must not be shut down before the last of them has gone. Thread-safe.
class LiveCalls {
 public:
  void Add();
  void Remove();
  void WaitUntilNone();

 private:
  std::mutex mutex_;
  std::condition_variable none_;
  int count_ = 0;
};

class Authenticator;
class Certificates;
class FailedAttempts;
class PeerProcesses;
class RequestMemory;

// Everything in it outlives the calls.
struct RpcContext {
  Databases* databases;
  CallRegistry* registry;
  ServerMetrics* metrics;
  const Config* config;
  const Authenticator* authenticator;
  FailedAttempts* failed_attempts;
  // Null: there is no TLS.
  const Certificates* certificates = nullptr;
  // Set by the GrpcServer.
  const PeerProcesses* peer_processes = nullptr;
  LiveCalls* live_calls = nullptr;
  RequestMemory* request_memory = nullptr;
};

// Counts a statement that has ended, and logs it if it was slow. `sql` is logged as it is, `args`
// only if the configuration asks for them. `who` is the caller, as Call::CallerName has it. A
// statement that may have written goes to the audit, if the configuration asks for that.
void RecordStatement(const RpcContext& context, std::string_view who, Database& database,
                     const driver::StatementRun& run, TimePoint began);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_CONTEXT_H_
