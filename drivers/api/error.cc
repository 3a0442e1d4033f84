#include "drivers/api/error.h"

#include <array>
#include <cstddef>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/types/optional.h"
#include "fmt/format.h"
#include "text/string_views.h"

namespace penstock::driver {
namespace {

constexpr absl::string_view kPayload = "penstock.dev/driver.ErrorInfo";

// A payload is the numbers and then the texts of an ErrorInfo, each text behind its
// length: names and texts may hold any byte.
std::array<int32_t, 4> Numbers(const ErrorInfo& info) {
  return {static_cast<int32_t>(info.reason), static_cast<int32_t>(info.retry), info.driver_code,
          info.position};
}

template <typename Info>
auto Texts(Info& info) {
  return std::array{&info.sqlstate, &info.constraint, &info.schema, &info.table,
                    &info.column,   &info.hint,       &info.detail};
}

constexpr size_t kNumberBytes = sizeof(uint32_t);

void AppendNumber(uint32_t number, std::string* to) {
  for (size_t i = 0; i < kNumberBytes; ++i) *to += static_cast<char>(number >> (8 * i));
}

std::string Encode(const ErrorInfo& info) {
  std::string bytes;
  for (const int32_t number : Numbers(info)) AppendNumber(static_cast<uint32_t>(number), &bytes);
  for (const std::string* text : Texts(info)) {
    AppendNumber(static_cast<uint32_t>(text->size()), &bytes);
    bytes += *text;
  }
  return bytes;
}

// Takes what Encode has written off the front; 0 of a payload that ends too early.
uint32_t TakeNumber(std::string_view* from) {
  if (from->size() < kNumberBytes) return 0;
  uint32_t number = 0;
  for (size_t i = 0; i < kNumberBytes; ++i) {
    number |= uint32_t{static_cast<unsigned char>((*from)[i])} << (8 * i);
  }
  from->remove_prefix(kNumberBytes);
  return number;
}

ErrorInfo Decode(std::string_view bytes) {
  ErrorInfo info;
  info.reason = static_cast<Reason>(TakeNumber(&bytes));
  info.retry = static_cast<Retry>(TakeNumber(&bytes));
  info.driver_code = static_cast<int32_t>(TakeNumber(&bytes));
  info.position = static_cast<int32_t>(TakeNumber(&bytes));
  for (std::string* text : Texts(info)) {
    const uint32_t size = TakeNumber(&bytes);
    *text = bytes.substr(0, size);
    bytes.remove_prefix(text->size());
  }
  return info;
}

}  // namespace

absl::StatusCode CodeOf(Reason reason) {
  switch (reason) {
    case Reason::kUnspecified: return absl::StatusCode::kInternal;
    case Reason::kUniqueViolation:
    case Reason::kDuplicateObject: return absl::StatusCode::kAlreadyExists;
    case Reason::kForeignKeyViolation:
    case Reason::kCheckViolation:
    case Reason::kNotNullViolation:
    case Reason::kConstraintViolation:
    case Reason::kRaised:
    case Reason::kTransactionAborted:
    case Reason::kWrongState:
    case Reason::kSchemaChangeFailed:
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
    case Reason::kUndefinedObject:
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
  absl::Status status(CodeOf(reason), ToAbsl(message));
  status.SetPayload(kPayload, absl::Cord(Encode(info)));
  return status;
}

absl::Status MakeErrorWithHint(Reason reason, std::string_view message, std::string_view hint) {
  ErrorInfo info;
  info.hint = std::string(hint);
  return MakeError(reason, message, std::move(info));
}

ErrorInfo GetErrorInfo(const absl::Status& status) {
  const absl::optional<absl::Cord> payload = status.GetPayload(kPayload);
  return payload.has_value() ? Decode(std::string(*payload)) : ErrorInfo();
}

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  absl::Status annotated(status.code(), fmt::format("{}: {}", context, ToStd(status.message())));
  status.ForEachPayload([&annotated](absl::string_view url, const absl::Cord& payload) {
    annotated.SetPayload(url, payload);
  });
  return annotated;
}

}  // namespace penstock::driver
