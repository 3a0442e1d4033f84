// The base of calls that stream the result of one statement.
#ifndef PENSTOCK_SERVER_RPC_BASE_RESULT_CALL_H_
#define PENSTOCK_SERVER_RPC_BASE_RESULT_CALL_H_

#include "absl/status/status.h"
#include "google/protobuf/message_lite.h"
#include "server/auth/quota.h"
#include "server/rpc/base/call.h"
#include "server/rpc/base/call_run.h"
#include "server/rpc/base/call_task.h"

namespace penstock::server {

// Runs the statement and sends what it finds, batch by batch:
//
//   arrive -> in the queue -> OnRun -> write -> OnWritten -> fetch -> write … finish
//
// After its first batch a longer result holds a connection but no thread, and no more
// than one batch of memory. The statement runs on a worker thread, which also closes its
// cursor; what is written next is decided on whichever thread the last write ended.
class ResultCall : public ServerStreamCall {
 public:
  void Tick(TimePoint now) final;

 protected:
  ResultCall(const RpcContext& context, const CallSource& source, Rpc rpc,
             WaitForNext wait_for_next);

  struct Part {
    const google::protobuf::MessageLite* message = nullptr;
    // The message ends the result.
    bool last = false;
  };

  // Parses the request, and fills run_ except for the limits of its batches.
  virtual absl::Status Prepare() = 0;
  // A batch of rows was written; it is the last one if run_ has no cursor.
  virtual void EndBatch() = 0;
  // Returns the size of the rows that were written since Prepare, sent or not.
  virtual ResultSize Written() const = 0;
  // Returns the next message of the batch, which stays until the next call, or none if all
  // were returned.
  virtual Part NextPart() = 0;

  CallRun run_;

 private:
  void OnStart() final;
  void OnWritten(bool ok) final;
  void Advance();
  void SendPart();
  void End();

  ResultMeter meter_;
  // Fetches the next batch, or cleans up after a client that has gone.
  CallTask fetch_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_RESULT_CALL_H_
