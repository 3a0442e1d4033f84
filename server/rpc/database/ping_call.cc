// Ping: waits for a connection, reaches the backend on an executor's thread.
#include "server/rpc/base/calls.h"
#include "server/rpc/base/connection_call.h"
#include "server/rpc/base/service.h"

namespace penstock::server {
namespace {

class PingCall final : public ConnectionCall {
 public:
  PingCall(const RpcContext& context, const CallSource& source)
      : ConnectionCall(context, Rpc::kPing), source_(source) {
    source_.services->database.RequestPing(&server_context_, &request_bytes_, &responder_,
                                           source_.queue, source_.queue, StartTag());
  }

 private:
  void WaitForNext() override { WaitForPing(context_, source_); }

  void OnStart() override {
    v1::PingRequest request;
    absl::Status status = Take(&request_bytes_, &request);
    if (status.ok()) status = Acquire(request.database());
    if (!status.ok()) Finish(status);
  }

  void OnConnection() override {
    absl::Status status = lease().Connect(deadline());
    const TimePoint began = Clock::System().Now();
    if (status.ok()) status = lease()->Ping(deadline());
    v1::PingResponse response;
    ToProto(Clock::System().Now() - began, response.mutable_round_trip());
    lease().Release();
    const driver::DriverInfo& info = database().info();
    response.set_database(database().name());
    response.set_driver(info.name);
    response.set_dialect(info.dialect);
    response.set_server_version(database().server_version());
    ToProto(database().capabilities(), response.mutable_capabilities());
    Answer(status, response);
  }

  const CallSource source_;
};

}  // namespace

void WaitForPing(const RpcContext& context, const CallSource& source) {
  new PingCall(context, source);  // owns itself
}

}  // namespace penstock::server
