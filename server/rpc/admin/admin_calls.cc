// AdminService: answers from the daemon's own state, without reaching a backend.
#include "server/rpc/base/calls.h"
#include "server/rpc/base/service.h"
#include "server/rpc/base/unary_call.h"

namespace penstock::server {
namespace {

void FillStats(const std::string& name, const PoolStats& from, v1::PoolStats* to) {
  to->set_name(name);
  to->set_max_open(from.max_open);
  to->set_open(from.open);
  to->set_in_use(from.in_use);
  to->set_idle(from.idle);
  to->set_waiting(from.waiting);
  to->set_wait_count(from.wait_count);
  ToProto(from.wait_duration, to->mutable_wait_duration());
  to->set_max_idle_closed(from.max_idle_closed);
  to->set_max_lifetime_closed(from.max_lifetime_closed);
  to->set_max_idle_time_closed(from.max_idle_time_closed);
  to->set_broken_closed(from.broken_closed);
  to->set_connect_count(from.connect_count);
  to->set_connect_failures(from.connect_failures);
  to->set_backing_off(from.backing_off);
}

void FillStats(Database& from, v1::DatabaseStats* to) {
  to->set_name(from.name());
  for (const auto& [name, stats] : from.Stats()) FillStats(name, stats, to->add_pools());
  const DatabaseMetrics& metrics = from.metrics();
  to->set_open_transactions(metrics.open_transactions.value());
  int64_t statements = 0;
  for (const auto& count : metrics.statements) statements += count.value();
  to->set_statements(statements);
  to->set_statement_errors(statements - metrics.statements[0].value());
}

class ListDatabasesCall final : public UnaryCall {
 public:
  ListDatabasesCall(const RpcContext& context, const CallSource& source)
      : UnaryCall(context, source, Rpc::kListDatabases, WaitForListDatabases) {
    Listen(&source.services->admin, &AdminMethods::RequestListDatabases);
  }

 private:
  void OnStart() override {
    v1::ListDatabasesResponse response;
    for (const auto& [name, database] : context_.databases->all()) {
      if (!principal().Knows(name)) continue;
      v1::Database* entry = response.add_databases();
      entry->set_name(name);
      entry->set_driver(database->info().name);
      entry->set_is_default(name == context_.databases->default_name());
    }
    Answer(absl::OkStatus(), response);
  }
};

class GetStatsCall final : public UnaryCall {
 public:
  GetStatsCall(const RpcContext& context, const CallSource& source)
      : UnaryCall(context, source, Rpc::kGetStats, WaitForGetStats) {
    Listen(&source.services->admin, &AdminMethods::RequestGetStats);
  }

 private:
  void OnStart() override {
    v1::GetStatsResponse response;
    Answer(Fill(&response), response);
  }

  absl::Status Fill(v1::GetStatsResponse* response) {
    v1::GetStatsRequest request;
    absl::Status parsed = Take(&request_bytes_, &request);
    if (!parsed.ok()) return parsed;
    if (request.database().empty()) return FillAll(response);
    absl::StatusOr<Database*> database = FindDatabase(request.database());
    if (database.ok()) FillStats(**database, response->add_databases());
    return database.status();
  }

  // Adds the databases that the caller may see, of which there must be one.
  absl::Status FillAll(v1::GetStatsResponse* response) const {
    absl::Status refused;
    for (const auto& [name, database] : context_.databases->all()) {
      const absl::Status allowed = principal().Check(Right::kAdmin, name);
      if (allowed.ok()) {
        FillStats(*database, response->add_databases());
      } else {
        refused = allowed;
      }
    }
    return response->databases().empty() ? refused : absl::OkStatus();
  }
};

}  // namespace

void WaitForListDatabases(const RpcContext& context, const CallSource& source) {
  new ListDatabasesCall(context, source);  // owns itself
}

void WaitForGetStats(const RpcContext& context, const CallSource& source) {
  new GetStatsCall(context, source);  // owns itself
}

}  // namespace penstock::server
