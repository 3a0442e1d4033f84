#include "penstock/errors.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/src/status.h"
#include "penstock/internal/v1/error.pb.h"
#include "text/string_views.h"

namespace penstock {
namespace {

constexpr char kPrefix[] = "REASON_";

internal::v1::Reason ReasonOf(const absl::Status& status) {
  internal::v1::ErrorDetail detail;
  internal::GetDetail(status, &detail);
  return detail.reason();
}

internal::v1::Retry RetryOf(const absl::Status& status) {
  internal::v1::ErrorDetail detail;
  internal::GetDetail(status, &detail);
  return detail.retry();
}

std::string ReasonName(internal::v1::Reason reason) {
  const std::string& name = internal::v1::Reason_Name(reason);
  return name.starts_with(kPrefix) ? name.substr(sizeof(kPrefix) - 1)
                                   : std::to_string(static_cast<int>(reason));
}

// Returns true if protobuf's tables of names exist. They are made during static initialisation, and
// a program may make an error in the initialiser of a global variable.
bool HasNames() {
  internal::v1::Reason reason = internal::v1::REASON_UNSPECIFIED;
  return internal::v1::Reason_Parse("REASON_UNSPECIFIED", &reason);
}

}  // namespace

bool IsUniqueViolation(const absl::Status& status) {
  return ReasonOf(status) == internal::v1::REASON_UNIQUE_VIOLATION;
}

bool IsForeignKeyViolation(const absl::Status& status) {
  return ReasonOf(status) == internal::v1::REASON_FOREIGN_KEY_VIOLATION;
}

bool IsNotNullViolation(const absl::Status& status) {
  return ReasonOf(status) == internal::v1::REASON_NOT_NULL_VIOLATION;
}

bool IsCheckViolation(const absl::Status& status) {
  return ReasonOf(status) == internal::v1::REASON_CHECK_VIOLATION;
}

bool IsConstraintViolation(const absl::Status& status) {
  switch (ReasonOf(status)) {
    case internal::v1::REASON_UNIQUE_VIOLATION:
    case internal::v1::REASON_FOREIGN_KEY_VIOLATION:
    case internal::v1::REASON_CHECK_VIOLATION:
    case internal::v1::REASON_NOT_NULL_VIOLATION:
    case internal::v1::REASON_CONSTRAINT_VIOLATION: return true;
    default: return false;
  }
}

bool IsSyntaxError(const absl::Status& status) {
  return ReasonOf(status) == internal::v1::REASON_SYNTAX;
}

bool IsUndefinedTable(const absl::Status& status) {
  return ReasonOf(status) == internal::v1::REASON_UNDEFINED_TABLE;
}

bool IsUnknownDatabase(const absl::Status& status) {
  return ReasonOf(status) == internal::v1::REASON_UNKNOWN_DATABASE;
}

bool IsReadOnly(const absl::Status& status) {
  return ReasonOf(status) == internal::v1::REASON_READ_ONLY;
}

bool IsRetryable(const absl::Status& status) {
  return RetryOf(status) == internal::v1::RETRY_STATEMENT;
}

bool IsTransactionRetryable(const absl::Status& status) {
  const internal::v1::Retry retry = RetryOf(status);
  return retry == internal::v1::RETRY_STATEMENT || retry == internal::v1::RETRY_TRANSACTION;
}

bool IsCommitOutcomeUnknown(const absl::Status& status) {
  return ReasonOf(status) == internal::v1::REASON_COMMIT_OUTCOME_UNKNOWN;
}

bool IsTimeout(const absl::Status& status) { return absl::IsDeadlineExceeded(status); }

ErrorDetails GetErrorDetails(const absl::Status& status) {
  internal::v1::ErrorDetail detail;
  if (!internal::GetDetail(status, &detail)) return {};
  ErrorDetails details{.sqlstate = detail.sqlstate(),
                       .driver_code = detail.driver_code(),
                       .constraint = detail.constraint(),
                       .schema = detail.schema(),
                       .table = detail.table(),
                       .column = detail.column(),
                       .position = detail.position(),
                       .hint = detail.hint(),
                       .detail = detail.detail()};
  if (detail.reason() != internal::v1::REASON_UNSPECIFIED)
    details.reason = ReasonName(detail.reason());
  if (detail.retry() == internal::v1::RETRY_STATEMENT) details.retry = Retry::kStatement;
  if (detail.retry() == internal::v1::RETRY_TRANSACTION) details.retry = Retry::kTransaction;
  return details;
}

absl::Status MakeError(absl::StatusCode code, std::string_view message,
                       const ErrorDetails& details) {
  internal::v1::ErrorDetail detail;
  internal::v1::Reason reason = internal::v1::REASON_UNSPECIFIED;
  int number = 0;
  if (absl::SimpleAtoi(details.reason, &number)) {
    // A reason of a newer daemon, in the form in which GetErrorDetails returns it.
    reason = static_cast<internal::v1::Reason>(number);
  } else if (!details.reason.empty() &&
             !internal::v1::Reason_Parse(kPrefix + details.reason, &reason) && HasNames()) {
    return absl::InternalError(absl::StrCat("MakeError: penstock.v1.Reason has no ", kPrefix,
                                            details.reason, "; the error was: ", ToAbsl(message)));
  }
  detail.set_reason(reason);
  switch (details.retry) {
    case Retry::kNever: detail.set_retry(internal::v1::RETRY_NEVER); break;
    case Retry::kStatement: detail.set_retry(internal::v1::RETRY_STATEMENT); break;
    case Retry::kTransaction: detail.set_retry(internal::v1::RETRY_TRANSACTION); break;
  }
  detail.set_sqlstate(details.sqlstate);
  detail.set_driver_code(details.driver_code);
  detail.set_constraint(details.constraint);
  detail.set_schema(details.schema);
  detail.set_table(details.table);
  detail.set_column(details.column);
  detail.set_position(details.position);
  detail.set_hint(details.hint);
  detail.set_detail(details.detail);
  return internal::WithDetail(absl::Status(code, ToAbsl(message)), detail);
}

}  // namespace penstock
