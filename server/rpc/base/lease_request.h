// A call's wait for a connection.
#ifndef PENSTOCK_SERVER_RPC_BASE_LEASE_REQUEST_H_
#define PENSTOCK_SERVER_RPC_BASE_LEASE_REQUEST_H_

#include <atomic>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/deadline.h"
#include "drivers/api/driver.h"
#include "server/database/database.h"
#include "server/pool/pool.h"
#include "server/rpc/base/call.h"

namespace penstock::server {

// Waits without a thread, and keeps the call, a member of which it is, alive meanwhile. One
// owner at a time, as for the call; only Cancel runs beside it.
class LeaseRequest final : public Pool::Waiter {
 public:
  // `done` is called once for each Start, from Start or later from any thread; it must not block.
  // It may destroy the request, unless it is called from Start or Cancel. With OK, lease() is
  // granted but not connected. `cancellation` is the call's.
  LeaseRequest(Call* call, const driver::Cancellation* cancellation,
               std::function<void(const absl::Status&)> done)
      : call_(call), cancellation_(cancellation), done_(std::move(done)) {}

  void Start(Database& database, driver::Lane lane, const driver::Deadline& deadline) {
    tenant = call_->tenant();
    wait_until = database.AcquireDeadline(deadline);
    Pool& pool = database.pool(lane);
    waiting_in_.store(&pool);
    call_->Ref();
    // The call has to be there still for the look below, also if all is over by then.
    call_->Ref();
    pool.Acquire(this);
    // A cancel that came before found nobody who waits.
    if (cancellation_->cancelled()) Cancel(cancellation_->status());
    call_->Unref();
  }

  // Ends the wait, if there is one, with `why`. Thread-safe.
  void Cancel(const absl::Status& why) {
    Pool* pool = waiting_in_.load();
    if (pool != nullptr && pool->Forget(this)) OnLease(why);
  }

  Lease& lease() { return lease_; }

 private:
  void OnLease(absl::StatusOr<Lease> lease) override {
    waiting_in_.store(nullptr);
    const absl::Status status = lease.status();
    if (status.ok()) lease_ = *std::move(lease);
    Call* const call = call_;
    done_(status);
    call->Unref();
  }

  Call* const call_;
  const driver::Cancellation* const cancellation_;
  const std::function<void(const absl::Status&)> done_;
  std::atomic<Pool*> waiting_in_{nullptr};
  Lease lease_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_LEASE_REQUEST_H_
