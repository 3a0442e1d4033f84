#include "drivers/api/error.h"

#include <charconv>
#include <utility>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/str_split.h"
#include "absl/types/optional.h"
#include "fmt/format.h"

namespace penstock::driver {
namespace {

constexpr absl::string_view kPayload = "penstock.dev/driver.ErrorInfo";
// Between the fields of a payload; it occurs in no identifier or hint.
constexpr char kSeparator = '\x1f';

std::string Encode(const ErrorInfo& info) {
  return fmt::format("{1}{0}{2}{0}{3}{0}{4}{0}{5}{0}{6}{0}{7}{0}{8}{0}{9}{0}{10}", kSeparator,
                     static_cast<int>(info.reason), static_cast<int>(info.retry), info.driver_code,
                     info.position, info.sqlstate, info.constraint, info.schema, info.table,
                     info.column, info.hint);
}

int32_t ToInt(const std::string& text) {
  int32_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

// Debian's Abseil has a string_view of its own.
absl::string_view View(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

absl::StatusCode CodeOf(Reason reason) {
  switch (reason) {
    case Reason::kUnspecified: return absl::StatusCode::kInternal;
    case Reason::kUniqueViolation: return absl::StatusCode::kAlreadyExists;
    case Reason::kForeignKeyViolation:
    case Reason::kCheckViolation:
    case Reason::kNotNullViolation:
    case Reason::kConstraintViolation:
    case Reason::kTransactionAborted:
    case Reason::kBackendCredentials:
    case Reason::kReadOnly:
    case Reason::kMigrationRefused: return absl::StatusCode::kFailedPrecondition;
    case Reason::kSyntax:
    case Reason::kInvalidParameter:
    case Reason::kDataException:
    case Reason::kEmptyStatement:
    case Reason::kMultipleStatements:
    case Reason::kTransactionControl:
    case Reason::kProtocol: return absl::StatusCode::kInvalidArgument;
    case Reason::kUndefinedTable:
    case Reason::kUnknownDatabase: return absl::StatusCode::kNotFound;
    case Reason::kSerializationFailure:
    case Reason::kDeadlock:
    case Reason::kBusy:
    case Reason::kMigrationLocked: return absl::StatusCode::kAborted;
    case Reason::kConnectionFailed:
    case Reason::kConnectionLost:
    case Reason::kDraining: return absl::StatusCode::kUnavailable;
    case Reason::kCommitOutcomeUnknown: return absl::StatusCode::kUnknown;
    case Reason::kRequestTimeout:
    case Reason::kCallDeadline:
    case Reason::kQueryTimeout:
    case Reason::kAcquireTimeout:
    case Reason::kTransactionIdleTimeout:
    case Reason::kTransactionTimeout:
    case Reason::kStallTimeout: return absl::StatusCode::kDeadlineExceeded;
    case Reason::kCancelled: return absl::StatusCode::kCancelled;
    case Reason::kQueueFull:
    case Reason::kLimitExceeded:
    case Reason::kDiskFull:
    case Reason::kBackendResources: return absl::StatusCode::kResourceExhausted;
    case Reason::kUnauthenticated: return absl::StatusCode::kUnauthenticated;
    case Reason::kNotAllowed: return absl::StatusCode::kPermissionDenied;
    case Reason::kUnsupported: return absl::StatusCode::kUnimplemented;
    case Reason::kCorruption: return absl::StatusCode::kDataLoss;
    case Reason::kIo: return absl::StatusCode::kInternal;
  }
  return absl::StatusCode::kInternal;
}

Retry RetryOf(Reason reason) {
  switch (reason) {
    case Reason::kSerializationFailure:
    case Reason::kDeadlock:
    case Reason::kBusy: return Retry::kTransaction;
    case Reason::kConnectionFailed:
    case Reason::kConnectionLost:
    case Reason::kDraining:
    case Reason::kMigrationLocked:
    case Reason::kQueueFull:
    case Reason::kDiskFull:
    case Reason::kBackendResources: return Retry::kStatement;
    default: return Retry::kNever;
  }
}

absl::Status MakeError(Reason reason, std::string_view message, ErrorInfo info) {
  info.reason = reason;
  if (info.retry == Retry::kUnspecified) info.retry = RetryOf(reason);
  absl::Status status(CodeOf(reason), View(message));
  status.SetPayload(kPayload, absl::Cord(Encode(info)));
  return status;
}

absl::Status MakeErrorWithHint(Reason reason, std::string_view message, std::string_view hint) {
  ErrorInfo info;
  info.hint = std::string(hint);
  return MakeError(reason, message, std::move(info));
}

ErrorInfo GetErrorInfo(const absl::Status& status) {
  ErrorInfo info;
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayload);
  if (!payload.has_value()) return info;
  const std::string bytes(*payload);
  const std::vector<std::string> fields = absl::StrSplit(bytes, kSeparator);
  if (fields.size() != 10) return info;
  info.reason = static_cast<Reason>(ToInt(fields[0]));
  info.retry = static_cast<Retry>(ToInt(fields[1]));
  info.driver_code = ToInt(fields[2]);
  info.position = ToInt(fields[3]);
  info.sqlstate = fields[4];
  info.constraint = fields[5];
  info.schema = fields[6];
  info.table = fields[7];
  info.column = fields[8];
  info.hint = fields[9];
  return info;
}

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  const absl::string_view message = status.message();
  absl::Status annotated(
      status.code(),
      fmt::format("{}: {}", context, std::string_view(message.data(), message.size())));
  status.ForEachPayload([&annotated](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

}  // namespace penstock::driver
