#include "client/src/status.h"

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "client/src/detail_text.h"
#include "client/src/format.h"
#include "google/protobuf/any.pb.h"
#include "grpcpp/support/status.h"
#include "penstock/internal/v1/error.pb.h"
#include "text/string_views.h"

namespace penstock::internal {
namespace {

// The type on the wire. The library's own copy of the message is in another package.
constexpr char kDetailType[] = "/penstock.v1.ErrorDetail";

// Codes that a later gRPC may add become UNKNOWN, and so does OK, which an error must not have.
absl::StatusCode ToErrorCode(int code) {
  if (code <= 0 || code > static_cast<int>(absl::StatusCode::kUnauthenticated)) {
    return absl::StatusCode::kUnknown;
  }
  return static_cast<absl::StatusCode>(code);
}

absl::Status Make(absl::StatusCode code, std::string_view message, v1::Reason reason,
                  v1::Retry retry = v1::RETRY_NEVER) {
  v1::ErrorDetail detail;
  detail.set_reason(reason);
  detail.set_retry(retry);
  return WithDetail(absl::Status(code, ToAbsl(message)), detail);
}

// Returns true if this client has ended the call (see Channel::Explain) without an answer.
bool GaveUp(const v1::ErrorDetail& detail) {
  return detail.reason() == v1::REASON_CANCELLED || detail.reason() == v1::REASON_CALL_DEADLINE;
}

bool SaidByDaemon(const absl::Status& end) {
  v1::ErrorDetail detail;
  if (GetDetail(end, &detail)) return !GaveUp(detail);
  // These codes are never made by the transport, or are sent before a request is looked at.
  switch (end.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kDataLoss:
    case absl::StatusCode::kUnimplemented:
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied: return true;
    default: return false;
  }
}

// Returns gRPC's message without the prefix that does not help.
std::string_view CauseOf(const absl::Status& status) {
  constexpr std::string_view kLast = "last error: UNKNOWN: ";
  const std::string_view message = ToStd(status.message());
  const size_t last = message.find(kLast);
  return last == std::string_view::npos ? message : message.substr(last + kLast.size());
}

absl::Status ConnectionFailed(const absl::Status& end, v1::Retry retry) {
  return Make(absl::StatusCode::kUnavailable, CauseOf(end), v1::REASON_CONNECTION_FAILED, retry);
}

// Returns true if the connection or the daemon has ended the call. CANCELLED without details comes
// from a daemon that shuts down; see CutOff.
bool EndedElsewhere(const absl::Status& end) {
  return absl::IsUnavailable(end) || (absl::IsCancelled(end) && !HasDetail(end));
}

absl::Status NotSent(const absl::Status& end) {
  v1::ErrorDetail detail;
  if (GetDetail(end, &detail)) {
    return Make(end.code(), internal::Format("{}; nothing was sent", ToStd(end.message())),
                detail.reason(), v1::RETRY_STATEMENT);
  }
  if (!EndedElsewhere(end)) return end;
  return Make(absl::StatusCode::kUnavailable,
              internal::Format("the daemon cannot be reached: {}", CauseOf(end)),
              v1::REASON_CONNECTION_FAILED, v1::RETRY_STATEMENT);
}

absl::Status OutcomeUnknown(const absl::Status& end) {
  // The error of a closed provider has no details.
  const bool gave_up = HasDetail(end) || absl::IsFailedPrecondition(end);
  return Make(
      gave_up || absl::IsCancelled(end) ? end.code() : absl::StatusCode::kUnknown,
      internal::Format("{}; what was sent may or may not have taken effect", ToStd(end.message())),
      v1::REASON_COMMIT_OUTCOME_UNKNOWN);
}

}  // namespace

bool GetDetail(const absl::Status& status, v1::ErrorDetail* detail) {
  const auto payload = status.GetPayload(kDetailUrl);
  return payload.has_value() && FromText(std::string(*payload), detail);
}

bool HasDetail(const absl::Status& status) { return status.GetPayload(kDetailUrl).has_value(); }

absl::Status WithDetail(absl::Status status, const v1::ErrorDetail& detail) {
  status.SetPayload(kDetailUrl, absl::Cord(ToText(detail)));
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
    if (absl::EndsWith(any.type_url(), kDetailType) && detail.ParseFromString(any.value())) {
      return WithDetail(std::move(result), detail);
    }
  }
  return result;
}

absl::Status CancelledByCaller() {
  return Make(absl::StatusCode::kCancelled, "the caller cancelled the call", v1::REASON_CANCELLED);
}

absl::Status CallDeadlinePassed() {
  return Make(absl::StatusCode::kDeadlineExceeded, "the deadline of the call has passed",
              v1::REASON_CALL_DEADLINE);
}

absl::Status CutOff() {
  return absl::CancelledError(
      "the daemon has ended the call: its result was not read for longer than the daemon's "
      "stall_timeout, or the daemon was shut down");
}

absl::Status EntriesClosed() {
  return Make(absl::StatusCode::kFailedPrecondition, "the entries have been closed",
              v1::REASON_WRONG_STATE);
}

absl::Status RowsAreOpen() {
  v1::ErrorDetail detail;
  detail.set_reason(v1::REASON_WRONG_STATE);
  detail.set_retry(v1::RETRY_NEVER);
  detail.set_hint("read them until Next returns false, or call Close");
  return WithDetail(absl::FailedPreconditionError("rows of this transaction are open"), detail);
}

absl::Status EmptyStatement() {
  return Make(absl::StatusCode::kInvalidArgument, "the statement is empty",
              v1::REASON_EMPTY_STATEMENT);
}

absl::Status MessageTooLarge(std::string_view message) {
  return Make(absl::StatusCode::kResourceExhausted, message, v1::REASON_LIMIT_EXCEEDED);
}

absl::Status ProtocolError(std::string_view what) {
  return Make(absl::StatusCode::kInternal,
              internal::Format("the daemon's answer violates the protocol: {}", what),
              v1::REASON_PROTOCOL);
}

Again AfterRefusal(const absl::Status& status) {
  v1::ErrorDetail detail;
  if (!GetDetail(status, &detail) || detail.retry() != v1::RETRY_STATEMENT) return Again::kNo;
  if (detail.reason() == v1::REASON_DRAINING) return Again::kAfterDrain;
  return detail.reason() == v1::REASON_LIMIT_EXCEEDED ? Again::kWithRoom : Again::kNo;
}

absl::Status NotTaken() {
  return Make(absl::StatusCode::kUnavailable,
              "the daemon has ended the stream because it is shutting down", v1::REASON_DRAINING,
              v1::RETRY_STATEMENT);
}

absl::Status Settle(const absl::Status& end, Reach reach, Again* again) {
  if (end.ok() || SaidByDaemon(end)) {
    *again = AfterRefusal(end);
    return end;
  }
  switch (reach) {
    case Reach::kNotSent:
      // If this client gave up, it does not try again.
      if (!HasDetail(end)) *again = Again::kElsewhere;
      return NotSent(end);
    case Reach::kHarmless:
      if (!EndedElsewhere(end)) return end;
      if (absl::IsUnavailable(end)) *again = Again::kElsewhere;
      return ConnectionFailed(end, v1::RETRY_STATEMENT);
    case Reach::kMaybeSent: break;
  }
  return OutcomeUnknown(end);
}

absl::Status Settle(const absl::Status& end, Reach reach) {
  Again again = Again::kNo;
  return Settle(end, reach, &again);
}

absl::Status OfLostTransaction(const absl::Status& end) {
  return EndedElsewhere(end) && !HasDetail(end) ? ConnectionFailed(end, v1::RETRY_TRANSACTION)
                                                : end;
}

}  // namespace penstock::internal
