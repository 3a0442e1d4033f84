#include "server/rpc/base/audit.h"

#include <string>

#include "drivers/api/error.h"
#include "server/log/log.h"
#include "server/rpc/base/call_run.h"
#include "server/rpc/base/peer.h"

namespace penstock::server {
namespace {

using driver::Reason;

// A statement is recognised by so much of it.
constexpr size_t kMaxSql = 2000;

bool IsAudited(Rpc rpc) {
  const Need need = kRpcNeeds[static_cast<size_t>(rpc)];
  return need == Need::kMigrate || need == Need::kAdmin;
}

bool IsRefusal(const absl::Status& end) {
  const Reason reason = driver::GetErrorInfo(end).reason;
  return reason == Reason::kUnauthenticated || reason == Reason::kNotAllowed;
}

}  // namespace

void AuditCall(const RpcContext& context, Rpc rpc, const grpc::ServerContext& call,
               const Principal* principal, const Database* database, const absl::Status& end) {
  const bool refused = IsRefusal(end);
  // Lines of the audit are not limited, so that nobody may cause them who is not known.
  const bool audited = principal != nullptr && IsAudited(rpc) && context.config->log.audit != "off";
  if (!refused && !audited) return;
  const std::string peer = PeerOf(call.peer());
  const std::string_view who = principal != nullptr ? std::string_view(principal->name()) : "";
  const std::string_view where = database != nullptr ? std::string_view(database->name()) : "";
  const std::string_view method = kRpcNames[static_cast<size_t>(rpc)];
  const std::string code = absl::StatusCodeToString(end.code());
  if (audited) {
    LogAudit({{"identity", who},
              {"peer", peer},
              {"method", method},
              {"database", where},
              {"code", code}});
  } else {
    // Anybody can cause these: they are limited like all lines.
    Log(Level::kWarn, "a call was refused",
        {{"identity", who},
         {"peer", peer},
         {"method", method},
         {"why", std::string_view(end.message().data(), end.message().size())}});
  }
}

void AuditStatement(const RpcContext& context, std::string_view who, const Database& database,
                    const driver::StatementRun& run) {
  if (context.config->log.audit != "writes" || OnlyReads(run)) return;
  const std::string code = absl::StatusCodeToString(run.status.code());
  LogAudit({{"caller", who},
            {"method", "statement"},
            {"database", database.name()},
            {"code", code},
            {"rows", run.summary.rows_affected},
            {"sql", run.sql.substr(0, kMaxSql)}});
}

}  // namespace penstock::server
