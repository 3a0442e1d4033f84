// The preparation of a statement for a stream.
#ifndef PENSTOCK_SERVER_RPC_DATABASE_DESCRIBING_H_
#define PENSTOCK_SERVER_RPC_DATABASE_DESCRIBING_H_

#include <functional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "server/database/database.h"
#include "server/rpc/base/call.h"
#include "server/rpc/base/call_task.h"
#include "server/rpc/base/lease_request.h"

namespace penstock::server {

// Waits for a connection without a thread, and describes one statement on it. Keeps the call alive
// meanwhile.
class Describing {
 public:
  // `done` is called once after Start: on a worker thread, or from Start or Cancel.
  Describing(Call* call, std::function<void(const absl::StatusOr<driver::StatementInfo>&)> done)
      : lease_(call, &cancellation_, [this](const absl::Status& status) { OnLease(status); }),
        task_(call, [this] { Describe(); }),
        done_(std::move(done)) {}

  // Once. `sql` lives until `done` is called.
  void Start(Database& database, std::string_view sql, const driver::Deadline& deadline) {
    database_ = &database;
    sql_ = sql;
    deadline_ = deadline;
    lease_.Start(database, driver::Lane::kRead, deadline);
  }

  // Ends it with `why`. Thread-safe, also before Start.
  void Cancel(const absl::Status& why) {
    cancellation_.Cancel(why);
    lease_.Cancel(why);
  }

 private:
  void OnLease(const absl::Status& status) {
    if (status.ok()) {
      task_.Enqueue(*database_);
    } else {
      done_(status);
    }
  }

  void Describe() {
    const absl::StatusOr<driver::StatementInfo> info = DescribeOnLease();
    lease_.lease().Release();
    done_(info);
  }

  absl::StatusOr<driver::StatementInfo> DescribeOnLease() {
    absl::Status connected = lease_.lease().Connect(deadline_);
    if (!connected.ok()) return connected;
    return lease_.lease()->Describe(sql_, deadline_, &cancellation_);
  }

  Database* database_ = nullptr;
  std::string_view sql_;
  driver::Deadline deadline_;
  driver::Cancellation cancellation_;
  LeaseRequest lease_;
  CallTask task_;
  const std::function<void(const absl::StatusOr<driver::StatementInfo>&)> done_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_DATABASE_DESCRIBING_H_
