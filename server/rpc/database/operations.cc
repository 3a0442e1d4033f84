#include "server/rpc/database/operations.h"

#include <chrono>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::server {

using driver::MakeError;
using driver::MakeErrorWithHint;
using driver::Reason;

namespace {

absl::Status SetStaleness(const v1::QueryRequest& request, CallRun* run) {
  run->staleness = {};
  if (!request.has_staleness()) return absl::OkStatus();
  const driver::DriverInfo& info = run->database->info();
  if (!info.capabilities.staleness) {
    return MakeErrorWithHint(Reason::kUnsupported,
                             fmt::format("the driver {} has no capability 'staleness'", info.name),
                             "omit staleness to read the current data");
  }
  Duration ago;
  absl::Status converted = FromProto(request.staleness(), &ago);
  run->staleness = std::chrono::duration_cast<std::chrono::microseconds>(ago);
  if (converted.ok() && run->staleness.count() > 0) return absl::OkStatus();
  return MakeError(Reason::kInvalidParameter,
                   "the staleness must be a duration of a microsecond or more");
}

}  // namespace

void RowsOperation::StartRows(const Call& call, v1::Format format, const driver::Columns& known,
                              CallRun* run) {
  builder_.Start(format, call.answer_limits().batch, known);
  run->args = arguments_.values();
  run->writer = &builder_;
  run->limits.max_bytes = call.answer_limits().first_batch;
  run->max_returning_bytes = call.ReturningLimit(*run->database);
}

void RowsOperation::EndBatch(const driver::StatementRun& run) {
  builder_.Flush(run.cursor == nullptr ? &run.summary : nullptr);
}

absl::Status QueryOperation::Start(Call& call, const Request& request, CallRun* run) {
  absl::Status status = call.StartStatement(kRpc, request, run);
  if (status.ok()) status = arguments_.Assign(request.args());
  if (status.ok()) status = SetStaleness(request, run);
  if (!status.ok()) return status;
  StartRows(call, request.format(), nullptr, run);
  run->sql = request.sql();
  return absl::OkStatus();
}

void RunOperation::StartRun(const Call& call, const PreparedStatement& statement, CallRun* run) {
  StartRows(call, statement.format, statement.columns, run);
  run->sql = statement.sql;
  run->prepared = true;
  run->summary = {};
}

absl::Status ExecOperation::Start(Call& call, const Request& request, CallStatement* run) {
  summary_.reset();
  absl::Status status = call.StartStatement(kRpc, request, run);
  if (status.ok() && !request.args().empty() && !request.rows().empty()) {
    status =
        MakeError(Reason::kInvalidParameter, "a request has either `args` or `rows`, not both");
  }
  if (status.ok()) {
    status = request.rows().empty() ? arguments_.Assign(request.args())
                                    : arguments_.AssignRows(request.rows());
  }
  if (!status.ok()) return status;
  run->sql = request.sql();
  run->args = arguments_.values();
  run->rows = arguments_.rows();
  return absl::OkStatus();
}

void ExecOperation::EndBatch(const driver::StatementRun& run) {
  v1::Summary summary;
  ToProto(run.summary, &summary);
  summary_ = summary.SerializeAsString();
}

bool ExecOperation::TakePart(std::string* part) {
  if (!summary_.has_value()) return false;
  *part = *std::exchange(summary_, std::nullopt);
  return true;
}

}  // namespace penstock::server
