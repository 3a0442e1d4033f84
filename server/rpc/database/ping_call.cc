// Ping: waits for a connection, reaches the backend on a worker thread.
#include "server/rpc/base/calls.h"
#include "server/rpc/base/connection_call.h"
#include "server/rpc/base/service.h"

namespace penstock::server {
namespace {

class PingCall final : public ConnectionCall {
 public:
  PingCall(const RpcContext& context, const CallSource& source)
      : ConnectionCall(context, source, Rpc::kPing, WaitForPing) {
    Listen(&source.services->database, &DatabaseMethods::RequestPing);
  }

 private:
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
};

}  // namespace

void WaitForPing(const RpcContext& context, const CallSource& source) {
  new PingCall(context, source);  // owns itself
}

}  // namespace penstock::server
