// A call with one message on each side that needs a connection to itself.
#ifndef PENSTOCK_SERVER_RPC_BASE_CONNECTION_CALL_H_
#define PENSTOCK_SERVER_RPC_BASE_CONNECTION_CALL_H_

#include <atomic>
#include <string>
#include <utility>

#include "server/database/database.h"
#include "server/pool/pool.h"
#include "server/rpc/base/unary_call.h"
#include "server/runtime/executor.h"

namespace penstock::server {

// Waits for a connection without a thread, and runs on one of the executor's. A
// subclass calls Acquire from OnStart, and Answer at the end of OnConnection.
class ConnectionCall : public UnaryCall, public Pool::Waiter, public Task {
 public:
  void Tick(TimePoint) final {}
  // It is short, and has a deadline: the daemon waits for it.
  void Drain(bool) final {}

 protected:
  // `sort`: see Task.
  ConnectionCall(const RpcContext& context, Rpc rpc, Sort sort = Sort::kBrief)
      : UnaryCall(context, rpc), Task(sort) {}

  // On the executor, with lease() granted but not necessarily connected. The
  // subclass releases it before it answers.
  virtual void OnConnection() = 0;

  // An error: nothing follows, and the call is to be finished with it.
  absl::Status Acquire(const std::string& database_name) {
    absl::StatusOr<Database*> found = context_.databases->Find(database_name);
    if (!found.ok()) return found.status();
    database_ = *found;
    absl::Status limited = DeadlineFor(*database_, false, {}, Clock::System().Now(), &deadline_);
    if (!limited.ok()) return limited;
    wait_until = database_->AcquireDeadline(deadline_);
    Pool& pool = database_->pool(driver::Lane::kRead);
    waiting_in_.store(&pool);
    Ref();
    pool.Acquire(this);
    return absl::OkStatus();
  }

  Database& database() { return *database_; }
  const driver::Deadline& deadline() const { return deadline_; }
  Lease& lease() { return lease_; }

 private:
  void OnCancelled() final {
    Pool* pool = waiting_in_.load();
    if (pool != nullptr && pool->Forget(this)) OnLease(cancellation_.status());
  }

  void OnLease(absl::StatusOr<Lease> lease) final {
    waiting_in_.store(nullptr);
    if (lease.ok()) {
      lease_ = *std::move(lease);
      database_->executor().Enqueue(this);
    } else {
      Finish(lease.status());
      Unref();
    }
  }

  void Run() final {
    OnConnection();
    Unref();
  }

  std::atomic<Pool*> waiting_in_{nullptr};
  Database* database_ = nullptr;
  driver::Deadline deadline_;
  Lease lease_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_CONNECTION_CALL_H_
