// Ping: waits for a connection, reaches the backend on an executor's thread.
#include <atomic>

#include "drivers/api/error.h"
#include "server/rpc/calls.h"
#include "server/rpc/service.h"
#include "server/rpc/unary_call.h"

namespace penstock::server {
namespace {

class PingCall final : public UnaryCall, public Pool::Waiter, public Task {
 public:
  PingCall(const RpcContext& context, const CallSource& source)
      : UnaryCall(context, Rpc::kPing), source_(source) {
    source_.services->database.RequestPing(&server_context_, &request_bytes_, &responder_,
                                           source_.queue, source_.queue, StartTag());
  }

  void Tick(TimePoint) override {}
  void Drain(bool) override {}

 private:
  void WaitForNext() override { WaitForPing(context_, source_); }

  void OnStart() override {
    const absl::Status acquired = Acquire();
    if (!acquired.ok()) Finish(acquired);
  }

  absl::Status Acquire() {
    v1::PingRequest request;
    absl::Status parsed = Parse(&request_bytes_, &request);
    if (!parsed.ok()) return parsed;
    absl::StatusOr<Database*> database = context_.databases->Find(request.database());
    if (!database.ok()) return database.status();
    database_ = *database;
    absl::Status limited = DeadlineFor(*database_, false, {}, Clock::System().Now(), &deadline_);
    if (!limited.ok()) return limited;
    wait_until = database_->AcquireDeadline(deadline_);
    Pool& pool = database_->pool(driver::Lane::kRead);
    waiting_in_.store(&pool);
    Ref();
    pool.Acquire(this);
    return absl::OkStatus();
  }

  void OnCancelled() override {
    Pool* pool = waiting_in_.load();
    if (pool != nullptr && pool->Forget(this)) OnLease(cancellation_.status());
  }

  void OnLease(absl::StatusOr<Lease> lease) override {
    waiting_in_.store(nullptr);
    if (lease.ok()) {
      lease_ = *std::move(lease);
      database_->executor().Enqueue(this);
    } else {
      Finish(lease.status());
      Unref();
    }
  }

  void Run() override {
    absl::Status status = lease_.Connect(deadline_);
    const TimePoint began = Clock::System().Now();
    if (status.ok()) status = lease_->Ping(deadline_);
    v1::PingResponse response;
    ToProto(Clock::System().Now() - began, response.mutable_round_trip());
    lease_.Release();
    const driver::DriverInfo& info = database_->info();
    response.set_database(database_->name());
    response.set_driver(info.name);
    response.set_dialect(info.dialect);
    response.set_server_version(database_->server_version());
    ToProto(info.capabilities, response.mutable_capabilities());
    Answer(status, response);
    Unref();
  }

  const CallSource source_;
  std::atomic<Pool*> waiting_in_{nullptr};
  Database* database_ = nullptr;
  driver::Deadline deadline_;
  Lease lease_;
};

}  // namespace

void WaitForPing(const RpcContext& context, const CallSource& source) {
  new PingCall(context, source);  // owns itself
}

}  // namespace penstock::server
