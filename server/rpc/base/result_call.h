// The base of calls that stream the result of one statement.
#ifndef PENSTOCK_SERVER_RPC_BASE_RESULT_CALL_H_
#define PENSTOCK_SERVER_RPC_BASE_RESULT_CALL_H_

#include "absl/status/status.h"
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

  // Parses the request, and starts the operation.
  virtual absl::Status Prepare() = 0;
  virtual Operation& operation() = 0;

  CallRun run_;

 private:
  void OnStart() final;
  void OnWritten(bool ok) final;
  void Advance();
  void SendPart();
  void End();

  // Fetches the next batch, or cleans up after a client that has gone.
  CallTask fetch_;
};

// The call of a method whose answer is the result of an operation. `OperationT` names the method
// and its Request.
template <typename OperationT>
class OperationCall final : public ResultCall {
 public:
  template <typename Service, typename Method>
  OperationCall(const RpcContext& context, const CallSource& source, WaitForNext wait_for_next,
                Service* service, Method method)
      : ResultCall(context, source, OperationT::kRpc, wait_for_next) {
    Listen(service, method);
  }

 private:
  absl::Status Prepare() override {
    run_.began = Clock::System().Now();
    absl::Status taken = Take(&request_bytes_, &request_);
    return taken.ok() ? operation_.Start(*this, request_, &run_) : taken;
  }
  Operation& operation() override { return operation_; }

  typename OperationT::Request request_;
  OperationT operation_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_RESULT_CALL_H_
