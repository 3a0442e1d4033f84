// Errors as drivers report them: an absl::Status with an ErrorInfo attached.
#ifndef PENSTOCK_DRIVERS_API_ERROR_H_
#define PENSTOCK_DRIVERS_API_ERROR_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace penstock::driver {

// Why something failed. The numbers and meanings are those of
// penstock.v1.Reason (proto/penstock/v1/error.proto), where each is described.
enum class Reason : int {
  kUnspecified = 0,
  kUniqueViolation = 1,
  kForeignKeyViolation = 2,
  kCheckViolation = 3,
  kNotNullViolation = 4,
  kConstraintViolation = 5,
  kDuplicateObject = 6,
  kRaised = 7,
  kSyntax = 10,
  kInvalidParameter = 11,
  kDataException = 12,
  kUndefinedTable = 13,
  kUnknownDatabase = 14,
  kEmptyStatement = 15,
  kMultipleStatements = 16,
  kTransactionControl = 17,
  kProtocol = 18,
  kUndefinedObject = 19,
  kSerializationFailure = 20,
  kDeadlock = 21,
  kBusy = 22,
  kTransactionAborted = 23,
  kWrongState = 24,
  kConnectionFailed = 30,
  kConnectionLost = 31,
  kCommitOutcomeUnknown = 32,
  kDraining = 33,
  kSchemaChangeFailed = 34,
  kRequestTimeout = 40,
  kCallDeadline = 41,
  kQueryTimeout = 42,
  kAcquireTimeout = 43,
  kTransactionIdleTimeout = 44,
  kTransactionTimeout = 45,
  kStallTimeout = 46,
  kCancelled = 47,
  kQueueFull = 50,
  kLimitExceeded = 51,
  kDiskFull = 52,
  kBackendResources = 53,
  kUnauthenticated = 60,
  kNotAllowed = 61,
  kBackendCredentials = 62,
  kUnsupported = 63,
  kReadOnly = 64,
  kCorruption = 70,
  kIo = 71,
  kMigrationRefused = 80,
  kMigrationLocked = 81,
};

// Says what the caller may try again. The numbers are those of penstock.v1.Retry.
enum class Retry : int { kUnspecified = 0, kNever = 1, kStatement = 2, kTransaction = 3 };

// The particulars of a failure. All of it may be shown to the caller: no
// parameter values, no credentials. Names are the backend's and may hold any byte:
// whoever needs UTF-8 uses ToUtf8 of text/utf8.h.
struct ErrorInfo {
  Reason reason = Reason::kUnspecified;
  Retry retry = Retry::kUnspecified;
  int32_t driver_code = 0;
  // In the SQL text, in characters from 1; 0 when not known.
  int32_t position = 0;
  std::string sqlstate;
  std::string constraint;
  std::string schema;
  std::string table;
  std::string column;
  std::string hint;
  // The backend's words beyond the message, such as the key that exists already or the view that
  // depends on a table. They may contain values of rows, but none that came as a parameter.
  std::string detail;

  bool operator==(const ErrorInfo&) const = default;
};

// The one table from reason to status code and to what may be retried.
absl::StatusCode CodeOf(Reason reason);
Retry RetryOf(Reason reason);

// An error of the code and the retry class that its reason has. `info` adds
// particulars; its `reason` is overwritten, and its `retry` where unspecified.
absl::Status MakeError(Reason reason, std::string_view message, ErrorInfo info = {});

// MakeError with a hint: what to do about it.
absl::Status MakeErrorWithHint(Reason reason, std::string_view message, std::string_view hint);

// Returns the ErrorInfo that MakeError attached; a default one for any other status.
ErrorInfo GetErrorInfo(const absl::Status& status);

// Returns the same error with a message that also says where it happened.
absl::Status Annotate(const absl::Status& status, std::string_view context);

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_ERROR_H_
