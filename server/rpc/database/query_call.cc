// Query: runs one statement and streams its rows.
#include <chrono>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "server/rpc/base/calls.h"
#include "server/rpc/base/convert.h"
#include "server/rpc/base/result_call.h"
#include "server/rpc/base/service.h"
#include "server/rpc/database/result_builder.h"

namespace penstock::server {
namespace {

class QueryCall final : public ResultCall {
 public:
  QueryCall(const RpcContext& context, const CallSource& source)
      : ResultCall(context, source, Rpc::kQuery, WaitForQuery) {
    Listen(&source.services->database, &DatabaseMethods::RequestQuery);
  }

 private:
  absl::Status Prepare() override {
    absl::Status status = TakeStatement(&request_bytes_, &request_, &run_);
    if (status.ok()) status = arguments_.Assign(request_.args());
    if (status.ok()) status = SetStaleness();
    if (!status.ok()) return status;
    builder_.Start(request_.format(), answer_limits().batch);
    run_.sql = request_.sql();
    run_.args = arguments_.values();
    run_.writer = &builder_;
    run_.max_returning_bytes = ReturningLimit(*run_.database);
    return absl::OkStatus();
  }

  absl::Status SetStaleness() {
    if (!request_.has_staleness()) return absl::OkStatus();
    const driver::DriverInfo& info = run_.database->info();
    if (!info.capabilities.staleness) {
      return driver::MakeErrorWithHint(
          driver::Reason::kUnsupported,
          fmt::format("the driver {} has no capability 'staleness'", info.name),
          "omit staleness to read the current data");
    }
    Duration ago;
    absl::Status converted = FromProto(request_.staleness(), &ago);
    run_.staleness = std::chrono::duration_cast<std::chrono::microseconds>(ago);
    if (converted.ok() && run_.staleness.count() > 0) return absl::OkStatus();
    return driver::MakeError(driver::Reason::kInvalidParameter,
                             "the staleness must be a duration of a microsecond or more");
  }

  void EndBatch() override { builder_.Flush(run_.cursor == nullptr ? &run_.summary : nullptr); }

  ResultSize Written() const override { return builder_.size(); }

  Part NextPart() override {
    if (!builder_.TakePart(&response_)) return {};
    return {.message = &response_, .last = response_.has_summary()};
  }

  v1::QueryRequest request_;
  v1::QueryResponse response_;
  Arguments arguments_;
  ResultBuilder builder_;
};

}  // namespace

void WaitForQuery(const RpcContext& context, const CallSource& source) {
  new QueryCall(context, source);  // owns itself
}

}  // namespace penstock::server
