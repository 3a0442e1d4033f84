// The calls of KeyValueService with one message on each side.
//
//   arrive -> in the queue -> OnRun -> answer
#include <string>
#include <utility>

#include "server/rpc/base/call_run.h"
#include "server/rpc/base/calls.h"
#include "server/rpc/base/service.h"
#include "server/rpc/base/unary_call.h"
#include "server/rpc/key_value/operations.h"

namespace penstock::server {
namespace {

template <typename Method>
class KeyValueCall final : public UnaryCall {
 public:
  template <typename Ask>
  KeyValueCall(const RpcContext& context, const CallSource& source, WaitForNext wait_for_next,
               Ask ask)
      : UnaryCall(context, source, Method::kRpc, wait_for_next) {
    Listen(&source.services->key_value, ask);
  }

  void Tick(TimePoint now) override {
    const absl::Status late = run_.Check(now);
    if (!late.ok()) Finish(late);
  }

 private:
  void OnStart() override {
    run_.began = Clock::System().Now();
    absl::Status status = Take(&request_bytes_, &request_);
    if (status.ok()) status = operation_.Start(*this, request_, &run_);
    if (!status.ok()) return Finish(status);
    run_.Submit(/*writes=*/!run_.key_value->reads());
  }

  void OnRun() {
    run_.EndBatch(&operation_);
    std::string answer;
    operation_.TakePart(&answer);
    const absl::Status written = run_.status.ok() ? WriteAndFinish(std::move(answer)) : run_.status;
    if (!written.ok()) Finish(written);
  }

  typename Method::Request request_;
  KeyValueOperation<Method> operation_;
  CallRun run_{this, context_, [this] { OnRun(); }};
};

}  // namespace

// Each owns itself.
void WaitForGet(const RpcContext& context, const CallSource& source) {
  new KeyValueCall<GetMethod>(context, source, WaitForGet, &KeyValueMethods::RequestGet);
}
void WaitForBatchGet(const RpcContext& context, const CallSource& source) {
  new KeyValueCall<BatchGetMethod>(context, source, WaitForBatchGet,
                                   &KeyValueMethods::RequestBatchGet);
}
void WaitForPut(const RpcContext& context, const CallSource& source) {
  new KeyValueCall<PutMethod>(context, source, WaitForPut, &KeyValueMethods::RequestPut);
}
void WaitForDelete(const RpcContext& context, const CallSource& source) {
  new KeyValueCall<DeleteMethod>(context, source, WaitForDelete, &KeyValueMethods::RequestDelete);
}
void WaitForDeleteRange(const RpcContext& context, const CallSource& source) {
  new KeyValueCall<DeleteRangeMethod>(context, source, WaitForDeleteRange,
                                      &KeyValueMethods::RequestDeleteRange);
}
void WaitForWrite(const RpcContext& context, const CallSource& source) {
  new KeyValueCall<WriteMethod>(context, source, WaitForWrite, &KeyValueMethods::RequestWrite);
}

}  // namespace penstock::server
