// The base of calls with one message on each side that need a connection to themselves.
#ifndef PENSTOCK_SERVER_RPC_BASE_CONNECTION_CALL_H_
#define PENSTOCK_SERVER_RPC_BASE_CONNECTION_CALL_H_

#include <string>

#include "server/database/database.h"
#include "server/rpc/base/call_task.h"
#include "server/rpc/base/lease_request.h"
#include "server/rpc/base/unary_call.h"

namespace penstock::server {

// Waits for a connection without a thread, and works on a worker thread. A
// subclass calls Acquire from OnStart, and Answer at the end of OnConnection.
class ConnectionCall : public UnaryCall {
 public:
  // The daemon waits for the call, which is short and has a deadline.
  void Drain(bool) final {}

 protected:
  // `kind` is the work's, see Task.
  ConnectionCall(const RpcContext& context, const CallSource& source, Rpc rpc,
                 WaitForNext wait_for_next, Task::Kind kind = Task::Kind::kBrief)
      : UnaryCall(context, source, rpc, wait_for_next),
        task_(
            this, [this] { OnConnection(); }, kind) {}

  // Does the work on a worker thread. lease() is granted, but not necessarily connected. The
  // subclass releases it before it answers.
  virtual void OnConnection() = 0;

  // After an error nothing follows, and the caller finishes the call with it.
  absl::Status Acquire(const std::string& database_name) {
    absl::StatusOr<Database*> found = FindDatabase(database_name);
    if (!found.ok()) return found.status();
    database_ = *found;
    absl::Status limited = DeadlineFor(*database_, false, {}, Clock::System().Now(), &deadline_);
    if (!limited.ok()) return limited;
    lease_request_.Start(*database_, driver::Lane::kRead, deadline_);
    return absl::OkStatus();
  }

  Database& database() { return *database_; }
  const driver::Deadline& deadline() const { return deadline_; }
  Lease& lease() { return lease_request_.lease(); }

 private:
  void OnCancelled() final { lease_request_.Cancel(cancellation_.status()); }

  void OnLease(const absl::Status& status) {
    if (status.ok()) {
      task_.Enqueue(*database_);
    } else {
      Finish(status);
    }
  }

  Database* database_ = nullptr;
  driver::Deadline deadline_;
  CallTask task_;
  LeaseRequest lease_request_{this, &cancellation_,
                              [this](const absl::Status& status) { OnLease(status); }};
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_CONNECTION_CALL_H_
