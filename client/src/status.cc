#include "client/src/status.h"

#include "absl/strings/cord.h"
#include "fmt/format.h"
#include "google/protobuf/any.pb.h"
#include "grpcpp/support/status.h"
#include "penstock/v1/error.pb.h"

namespace penstock::internal {
namespace {

constexpr char kDetailUrl[] = "type.googleapis.com/penstock.v1.ErrorDetail";

// Codes that a later gRPC may add, and the OK that an error must not have, are UNKNOWN.
absl::StatusCode ToErrorCode(int code) {
  if (code <= 0 || code > static_cast<int>(absl::StatusCode::kUnauthenticated)) {
    return absl::StatusCode::kUnknown;
  }
  return static_cast<absl::StatusCode>(code);
}

absl::string_view ToAbsl(std::string_view text) { return {text.data(), text.size()}; }

absl::Status Make(absl::StatusCode code, std::string_view message, v1::Reason reason) {
  v1::ErrorDetail detail;
  detail.set_reason(reason);
  detail.set_retry(v1::RETRY_NEVER);
  return WithDetail(absl::Status(code, ToAbsl(message)), detail);
}

}  // namespace

bool GetDetail(const absl::Status& status, v1::ErrorDetail* detail) {
  const auto payload = status.GetPayload(kDetailUrl);
  return payload.has_value() && detail->ParseFromString(std::string(*payload));
}

bool HasDetail(const absl::Status& status) { return status.GetPayload(kDetailUrl).has_value(); }

absl::Status WithDetail(absl::Status status, const v1::ErrorDetail& detail) {
  status.SetPayload(kDetailUrl, absl::Cord(detail.SerializeAsString()));
  return status;
}

absl::Status ToStatus(const v1::Error& error) {
  absl::Status status(ToErrorCode(error.code()), error.message());
  return error.has_detail() ? WithDetail(std::move(status), error.detail()) : status;
}

absl::Status ToStatus(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(ToErrorCode(status.error_code()), status.error_message());
  v1::StatusDetails details;
  if (!details.ParseFromString(status.error_details())) return result;
  for (const google::protobuf::Any& any : details.details()) {
    v1::ErrorDetail detail;
    if (any.UnpackTo(&detail)) return WithDetail(std::move(result), detail);
  }
  return result;
}

absl::Status CancelledByCaller() {
  return Make(absl::StatusCode::kCancelled, "the caller cancelled", v1::REASON_CANCELLED);
}

absl::Status CallDeadlinePassed() {
  return Make(absl::StatusCode::kDeadlineExceeded, "the deadline of the call has passed",
              v1::REASON_CALL_DEADLINE);
}

absl::Status InvalidParameter(std::string_view message) {
  return Make(absl::StatusCode::kInvalidArgument, message, v1::REASON_INVALID_PARAMETER);
}

absl::Status EmptyStatement() {
  return Make(absl::StatusCode::kInvalidArgument, "the statement is empty",
              v1::REASON_EMPTY_STATEMENT);
}

absl::Status MessageTooLarge(std::string_view message) {
  return Make(absl::StatusCode::kResourceExhausted, message, v1::REASON_LIMIT_EXCEEDED);
}

absl::Status OfHarmlessCall(const absl::Status& status) {
  if (!absl::IsUnavailable(status) || HasDetail(status)) return status;
  v1::ErrorDetail detail;
  detail.set_reason(v1::REASON_CONNECTION_FAILED);
  detail.set_retry(v1::RETRY_STATEMENT);
  return WithDetail(status, detail);
}

absl::Status ProtocolError(std::string_view what) {
  return Make(absl::StatusCode::kInternal,
              fmt::format("the daemon's answer makes no sense: {}", what), v1::REASON_PROTOCOL);
}

absl::Status AfterCommitWasSent(const absl::Status& status) {
  v1::ErrorDetail detail;
  const bool known = GetDetail(status, &detail);
  const bool gave_up =
      detail.reason() == v1::REASON_CANCELLED || detail.reason() == v1::REASON_CALL_DEADLINE;
  if (known && !gave_up) return status;
  const absl::StatusCode code = known ? status.code() : absl::StatusCode::kUnknown;
  return Make(code,
              fmt::format("{}; what was sent to be committed may have taken effect or not",
                          std::string_view(status.message().data(), status.message().size())),
              v1::REASON_COMMIT_OUTCOME_UNKNOWN);
}

}  // namespace penstock::internal
