// The details of an error, beyond the code and the message of an absl::Status.
//
//   if (penstock::IsUniqueViolation(result.status())) Use("another name");
//
// Every function here accepts any absl::Status. An OK status, and one that has nothing to do with
// Penstock, has no details, and the predicates return false for it, except for those that check
// the status code alone, as their comments say.
#ifndef PENSTOCK_ERRORS_H_
#define PENSTOCK_ERRORS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace penstock {

// What may be repeated after a failure.
enum class Retry {
  // Nothing may be repeated, or it is unknown: the same request would fail again, or might have
  // taken effect.
  kNever,
  // The statement had no effect and may be sent again by itself.
  kStatement,
  // The whole transaction may be run again from its beginning.
  kTransaction,
};

// The details of a failure. A field that the backend does not provide is empty or 0. No field has
// the value of a parameter or a credential.
struct ErrorDetails {
  // A name of penstock.v1.Reason without its prefix, such as "UNIQUE_VIOLATION" or
  // "QUERY_TIMEOUT". A reason that a newer daemon has and this library does not appears as its
  // number.
  std::string reason = {};
  Retry retry = Retry::kNever;
  // The five characters of the SQLSTATE, such as "23505".
  std::string sqlstate = {};
  // The backend's own code, such as SQLite's extended result code.
  int32_t driver_code = 0;
  std::string constraint = {};
  std::string schema = {};
  std::string table = {};
  // The first column, if the key has several.
  std::string column = {};
  // The position of the error in the SQL text, in characters from 1.
  int32_t position = 0;
  // A suggestion to the reader what to do about the error.
  std::string hint = {};
  // What the backend says beyond the message: the key that exists already, or what depends on a
  // table. It may contain values of rows.
  std::string detail = {};
};

// Returns the details of `status`, or a default ErrorDetails if it has none.
ErrorDetails GetErrorDetails(const absl::Status& status);

// Makes a status as a call would return it, for tests of code that handles failures. A misspelt
// `details.reason`, which no call would return, yields INTERNAL, so that the test notices. (The
// initialiser of a global variable must not pass a reason: names are not known by then.)
absl::Status MakeError(absl::StatusCode code, std::string_view message,
                       const ErrorDetails& details);

// A unique or primary key exists already.
bool IsUniqueViolation(const absl::Status& status);
// A foreign key refers to a row that does not exist, or a row is still referred to.
bool IsForeignKeyViolation(const absl::Status& status);
bool IsNotNullViolation(const absl::Status& status);
bool IsCheckViolation(const absl::Status& status);
// One of the above, or a violation of another constraint.
bool IsConstraintViolation(const absl::Status& status);

// The SQL text has a syntax error.
bool IsSyntaxError(const absl::Status& status);
bool IsUndefinedTable(const absl::Status& status);
// The daemon, or its backend, has no database of that name.
bool IsUnknownDatabase(const absl::Status& status);
// The statement would write to something that is read-only.
bool IsReadOnly(const absl::Status& status);

// The statement had no effect and may be sent again by itself. Never true for a call that may
// write if the connection broke while it waited for the answer.
bool IsRetryable(const absl::Status& status);
// The transaction had no effect and may be run again from its beginning. True also if IsRetryable
// is.
bool IsTransactionRetryable(const absl::Status& status);
// A write or commit was sent and not answered, so it may or may not have taken effect. The code is
// UNKNOWN. It is CANCELLED, DEADLINE_EXCEEDED or FAILED_PRECONDITION if this client stopped
// waiting, because of its context or because the provider was closed.
bool IsCommitOutcomeUnknown(const absl::Status& status);

// Any time limit has passed; checks the code alone.
bool IsTimeout(const absl::Status& status);
// The call was cancelled, by Context::Cancel or otherwise; checks the code alone.
using absl::IsCancelled;
// The daemon or the backend could not be reached; checks the code alone.
using absl::IsUnavailable;

}  // namespace penstock

#endif  // PENSTOCK_ERRORS_H_
