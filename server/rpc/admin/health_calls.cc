// grpc.health.v1: SERVING from the start until the daemon drains.
#include <atomic>
#include <string>

#include "server/rpc/base/calls.h"
#include "server/rpc/base/service.h"
#include "server/rpc/base/unary_call.h"

namespace penstock::server {
namespace {

using health::HealthCheckResponse;

bool IsKnown(const std::string& service) {
  return service.empty() || service == v1::DatabaseService::service_full_name() ||
         service == v1::KeyValueService::service_full_name() ||
         service == v1::MigrationService::service_full_name() ||
         service == v1::AdminService::service_full_name();
}

HealthCheckResponse StatusNow(bool draining) {
  HealthCheckResponse response;
  response.set_status(draining ? HealthCheckResponse::NOT_SERVING : HealthCheckResponse::SERVING);
  return response;
}

class CheckCall final : public UnaryCall {
 public:
  CheckCall(const RpcContext& context, const CallSource& source)
      : UnaryCall(context, source, Rpc::kCheck, WaitForCheck) {
    Listen(&source.services->health, &HealthMethods::RequestCheck);
  }

 private:
  // The daemon still has to answer while it drains or is full.
  bool is_session() const override { return false; }

  void OnStart() override {
    health::HealthCheckRequest request;
    absl::Status status = ParseSmall(&request_bytes_, &request);
    if (status.ok() && !IsKnown(request.service())) {
      status = absl::NotFoundError("unknown service");
    }
    Answer(status, StatusNow(context_.registry->draining()));
  }
};

class WatchCall final : public ServerStreamCall {
 public:
  WatchCall(const RpcContext& context, const CallSource& source)
      : ServerStreamCall(context, source, Rpc::kWatch, WaitForWatch) {
    Listen(&source.services->health, &HealthMethods::RequestWatch);
  }
  void Tick(TimePoint now) override { CheckStall(now); }
  void Drain(bool) override {
    draining_.store(true);
    // While a write is outstanding, OnWritten sees to it.
    if (idle_.exchange(false)) SayGoodbye();
  }

 private:
  void OnStart() override {
    health::HealthCheckRequest request;
    const absl::Status parsed = ParseSmall(&request_bytes_, &request);
    if (!parsed.ok()) {
      Finish(parsed);
      return;
    }
    HealthCheckResponse response = StatusNow(false);
    if (!IsKnown(request.service())) response.set_status(HealthCheckResponse::SERVICE_UNKNOWN);
    Write(response).IgnoreError();  // a message of two bytes fits
  }

  void OnWritten(bool ok) override {
    if (!ok) {
      Finish(GoneStatus());
      return;
    }
    idle_.store(true);
    const bool leaving = draining_.load() || cancellation_.cancelled();
    if (leaving && idle_.exchange(false)) SayGoodbye();
  }

  void OnCancelled() override {
    if (idle_.exchange(false)) Finish(cancellation_.status());
  }

  // Called by whoever has taken the idle state away.
  void SayGoodbye() { WriteAndFinish(StatusNow(true)).IgnoreError(); }

  std::atomic<bool> idle_{false};
  std::atomic<bool> draining_{false};
};

}  // namespace

void WaitForCheck(const RpcContext& context, const CallSource& source) {
  new CheckCall(context, source);  // owns itself
}

void WaitForWatch(const RpcContext& context, const CallSource& source) {
  new WatchCall(context, source);  // owns itself
}

}  // namespace penstock::server
