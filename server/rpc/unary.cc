#include "server/rpc/unary.h"

#include <chrono>
#include <memory>
#include <utility>

#include "server/rpc/convert.h"

namespace penstock::server {
namespace {

void Count(const RpcContext& context, Rpc rpc, const absl::Status& status) {
  context.metrics->calls[static_cast<size_t>(rpc)][static_cast<size_t>(status.code())].Add();
}

// Waits for a connection, reaches the backend on an executor's thread, answers.
class PingReactor final : public grpc::ServerUnaryReactor, public Pool::Waiter, public Task {
 public:
  PingReactor(const RpcContext& context, const grpc::CallbackServerContext& call,
              const v1::PingRequest& request, v1::PingResponse* response)
      : context_(context), response_(response) {
    absl::StatusOr<Database*> database = context_.databases->Find(request.database());
    if (!database.ok()) {
      End(database.status());
      return;
    }
    database_ = *database;
    const auto left = call.deadline() - std::chrono::system_clock::now();
    if (left < std::chrono::hours(24)) {
      deadline_ = {.at = Clock::System().Now() + std::chrono::duration_cast<Duration>(left),
                   .reason = driver::Reason::kCallDeadline};
    }
    wait_until = database_->AcquireDeadline(deadline_);
    database_->pool(driver::Lane::kRead).Acquire(this);
  }

  void OnLease(absl::StatusOr<Lease> lease) override {
    if (!lease.ok()) {
      End(lease.status());
      return;
    }
    lease_ = *std::move(lease);
    database_->executor().Enqueue(this);
  }

  void Run() override {
    absl::Status status = lease_.Connect(deadline_);
    const TimePoint began = Clock::System().Now();
    if (status.ok()) status = lease_->Ping(deadline_);
    ToProto(Clock::System().Now() - began, response_->mutable_round_trip());
    lease_.Release();
    const driver::DriverInfo& info = database_->info();
    response_->set_database(database_->name());
    response_->set_driver(info.name);
    response_->set_dialect(info.dialect);
    response_->set_server_version(database_->server_version());
    ToProto(info.capabilities, response_->mutable_capabilities());
    End(status);
  }

  void OnDone() override { delete this; }

 private:
  void End(const absl::Status& status) {
    Count(context_, Rpc::kPing, status);
    Finish(ToGrpc(status));
  }

  const RpcContext context_;
  v1::PingResponse* const response_;
  Database* database_ = nullptr;
  driver::Deadline deadline_;
  Lease lease_;
};

grpc::ServerUnaryReactor* Answer(const RpcContext& context, grpc::CallbackServerContext* call,
                                 const absl::Status& status) {
  Count(context, Rpc::kAdmin, status);
  grpc::ServerUnaryReactor* reactor = call->DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

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

}  // namespace

grpc::ServerUnaryReactor* DatabaseServiceImpl::Ping(grpc::CallbackServerContext* context,
                                                    const v1::PingRequest* request,
                                                    v1::PingResponse* response) {
  return new PingReactor(context_, *context, *request, response);  // owns itself
}

grpc::ServerUnaryReactor* AdminServiceImpl::ListDatabases(grpc::CallbackServerContext* context,
                                                          const v1::ListDatabasesRequest*,
                                                          v1::ListDatabasesResponse* response) {
  for (const auto& [name, database] : context_.databases->all()) {
    v1::Database* entry = response->add_databases();
    entry->set_name(name);
    entry->set_driver(database->info().name);
    entry->set_is_default(name == context_.databases->default_name());
  }
  return Answer(context_, context, absl::OkStatus());
}

grpc::ServerUnaryReactor* AdminServiceImpl::GetStats(grpc::CallbackServerContext* context,
                                                     const v1::GetStatsRequest* request,
                                                     v1::GetStatsResponse* response) {
  if (request->database().empty()) {
    for (const auto& [name, database] : context_.databases->all()) {
      FillStats(*database, response->add_databases());
    }
    return Answer(context_, context, absl::OkStatus());
  }
  absl::StatusOr<Database*> database = context_.databases->Find(request->database());
  if (database.ok()) FillStats(**database, response->add_databases());
  return Answer(context_, context, database.status());
}

}  // namespace penstock::server
