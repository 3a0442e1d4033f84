// The base of calls with one message on each side.
#ifndef PENSTOCK_SERVER_RPC_BASE_UNARY_CALL_H_
#define PENSTOCK_SERVER_RPC_BASE_UNARY_CALL_H_

#include "grpcpp/support/async_unary_call.h"
#include "server/rpc/base/call.h"
#include "server/rpc/base/convert.h"

namespace penstock::server {

// A subclass calls Listen in its constructor, and ends with Answer or Finish.
class UnaryCall : public Call {
 public:
  void Tick(TimePoint) override {}

 protected:
  UnaryCall(const RpcContext& context, const CallSource& source, Rpc rpc, WaitForNext wait_for_next)
      : Call(context, source, rpc, wait_for_next), responder_(&server_context_) {}

  // Asks gRPC for the next RPC of a service's method.
  template <typename Service, typename Request>
  void Listen(Service* service, Request request) {
    (service->*request)(&server_context_, &request_bytes_, &responder_, source_.queue,
                        source_.queue, StartTag());
  }

  void OnRead(bool) final {}
  void OnWritten(bool) final {}
  void DoWrite(const grpc::ByteBuffer&, void*) final {}
  void DoWriteAndFinish(const grpc::ByteBuffer& bytes, void* tag) final {
    responder_.Finish(bytes, grpc::Status::OK, tag);
  }
  void DoFinish(const grpc::Status& status, void* tag) final {
    responder_.FinishWithError(status, tag);
  }

  // Ends the call with a message, or with the reason why there is none.
  void Answer(const absl::Status& status, const google::protobuf::MessageLite& response) {
    const absl::Status written = status.ok() ? WriteAndFinish(response) : status;
    if (!written.ok()) Finish(written);
  }

  grpc::ByteBuffer request_bytes_;

 private:
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> responder_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_UNARY_CALL_H_
