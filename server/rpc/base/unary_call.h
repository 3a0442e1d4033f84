// A call with one message on each side.
#ifndef PENSTOCK_SERVER_RPC_BASE_UNARY_CALL_H_
#define PENSTOCK_SERVER_RPC_BASE_UNARY_CALL_H_

#include "grpcpp/support/async_unary_call.h"
#include "server/rpc/base/call.h"
#include "server/rpc/base/convert.h"

namespace penstock::server {

// A subclass gives StartTag, the request's bytes and the responder to gRPC in
// its constructor, and answers with WriteAndFinish or Finish.
class UnaryCall : public Call {
 protected:
  UnaryCall(const RpcContext& context, Rpc rpc)
      : Call(context, rpc), responder_(&server_context_) {}

  void OnRead(bool) final {}
  void OnWritten(bool) final {}
  void DoWrite(const grpc::ByteBuffer&, void*) final {}
  void DoWriteAndFinish(const grpc::ByteBuffer& bytes, void* tag) final {
    responder_.Finish(bytes, grpc::Status::OK, tag);
  }
  void DoFinish(const grpc::Status& status, void* tag) final {
    responder_.FinishWithError(status, tag);
  }

  // Ends the call with a message, or why there is none.
  void Answer(const absl::Status& status, const google::protobuf::MessageLite& response) {
    const absl::Status written = status.ok() ? WriteAndFinish(response) : status;
    if (!written.ok()) Finish(written);
  }

  grpc::ByteBuffer request_bytes_;
  grpc::ServerAsyncResponseWriter<grpc::ByteBuffer> responder_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_UNARY_CALL_H_
