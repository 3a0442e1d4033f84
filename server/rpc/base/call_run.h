// The statement of a call on its way to the database and back.
#ifndef PENSTOCK_SERVER_RPC_BASE_CALL_RUN_H_
#define PENSTOCK_SERVER_RPC_BASE_CALL_RUN_H_

#include <atomic>
#include <cstddef>
#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "drivers/api/driver.h"
#include "server/auth/quota.h"
#include "server/rpc/base/call.h"
#include "server/rpc/base/context.h"
#include "server/rpc/base/operation.h"

namespace penstock::server {

// Submits one statement at a time for its call, a member of which it is, and keeps the call
// alive meanwhile. One owner at a time, as for the call; only Check runs beside it.
class CallRun final : public CallStatement {
 public:
  // `on_run` is called once for each submission, when the statement has failed, has ended, or has
  // its first rows and a cursor; see PendingRun::OnRun. It may destroy the run.
  // `on_late`, if there is one, is called in its place for a statement that Check has answered.
  CallRun(Call* call, const RpcContext& context, std::function<void()> on_run,
          std::function<void()> on_late = nullptr)
      : call_(call), context_(context), on_run_(std::move(on_run)), on_late_(std::move(on_late)) {}

  // `writes`: the statement most likely writes.
  void Submit(bool writes);
  // Makes it ready to be submitted by Database::SubmitMany, which has to follow.
  void Arm();

  // Fetches the next rows; `status` tells whether it has worked. Closes the cursor after the last
  // row and after a failure, which may have come before. Worker threads only.
  void Fetch(size_t max_bytes);

  // Ends a batch, after `on_run` and after each Fetch: holds what was written against the limits of
  // its reader, closes the cursor after a failure, records a statement that has ended, and ends the
  // operation's batch unless it has failed. Worker threads only.
  void EndBatch(Operation* operation);

  // Counts and logs the statement; only the first call after Submit does something.
  void Record();

  // A statement that does not come back from the driver keeps what it borrowed of the call, but
  // its caller is answered all the same, some time after its limit. Returns the error to answer
  // with once that time has come, and `on_run` is not called any more; OK otherwise. For the
  // call's Tick.
  absl::Status Check(TimePoint now);

 private:
  // Stands in given_up_at_ while no statement is with the driver.
  static constexpr Duration::rep kNoRun = 0;

  void OnRun() override;

  Call* const call_;
  const RpcContext& context_;
  const std::function<void()> on_run_;
  const std::function<void()> on_late_;
  ResultMeter meter_;
  bool recorded_ = false;
  // When the caller is not kept waiting any longer, in ticks of the clock.
  std::atomic<Duration::rep> given_up_at_{kNoRun};
};

// Tells whether a statement or an operation that has begun is known to change nothing.
bool OnlyReads(const driver::StatementRun& run);

// Returns how a call ends whose statement has run, or runs, and whose answer cannot be sent to
// its end for the reason `why`. That is `why` if the statement only reads. Anything else is
// done, or may be, and to ask again would do it twice: kCommitOutcomeUnknown.
absl::Status Undelivered(const driver::StatementRun& run, const absl::Status& why);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_CALL_RUN_H_
