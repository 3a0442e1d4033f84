// What went wrong, beyond the code and the message of an absl::Status.
//
//   if (penstock::IsUniqueViolation(result.status())) Use("another name");
//
// Every function here takes any absl::Status: an OK one, or one that has nothing
// to do with Penstock, has no details, and the predicates answer false for it
// (but those that look at the status code alone, as they say).
#ifndef PENSTOCK_ERRORS_H_
#define PENSTOCK_ERRORS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace penstock {

// What may be tried again after a failure.
enum class Retry {
  // Nothing, or it is not known: the same request fails again, or might have
  // taken effect.
  kNever,
  // The statement had no effect; it alone may be sent again.
  kStatement,
  // The whole transaction may be run again from its beginning.
  kTransaction,
};

// The particulars of a failure. Fields are empty, or 0, where the backend does
// not tell. None holds the value of a parameter or a credential.
struct ErrorDetails {
  // A name of penstock.v1.Reason without its prefix: "UNIQUE_VIOLATION",
  // "QUERY_TIMEOUT". A daemon newer than this library may have others, which
  // appear as their number.
  std::string reason = {};
  Retry retry = Retry::kNever;
  // Five characters: "23505".
  std::string sqlstate = {};
  // The backend's own code: SQLite's extended result code.
  int32_t driver_code = 0;
  std::string constraint = {};
  std::string schema = {};
  std::string table = {};
  // For a key of several columns, the first.
  std::string column = {};
  // Where in the SQL text, in characters from 1.
  int32_t position = 0;
  // What to do about it, for people.
  std::string hint = {};
  // What the backend says beyond the message, for people: the key that exists already,
  // what depends on a table. It may have values of rows.
  std::string detail = {};
};

// A default ErrorDetails for a status that has none.
ErrorDetails GetErrorDetails(const absl::Status& status);

// A status as a call would return it, for tests of code that handles failures.
// A `details.reason` that is misspelt, so that no call would return it, makes it INTERNAL instead,
// which a test notices (not where it initialises a global variable, in which it has no reason).
absl::Status MakeError(absl::StatusCode code, std::string_view message,
                       const ErrorDetails& details);

// A unique or primary key exists already.
bool IsUniqueViolation(const absl::Status& status);
// A foreign key has no counterpart, or is still referred to.
bool IsForeignKeyViolation(const absl::Status& status);
bool IsNotNullViolation(const absl::Status& status);
bool IsCheckViolation(const absl::Status& status);
// Any of the above, or another constraint.
bool IsConstraintViolation(const absl::Status& status);

// The SQL text is at fault.
bool IsSyntaxError(const absl::Status& status);
bool IsUndefinedTable(const absl::Status& status);
// The daemon has no database of that name, or its backend does not.
bool IsUnknownDatabase(const absl::Status& status);
// A write to something that is read-only.
bool IsReadOnly(const absl::Status& status);

// The statement had no effect and may be sent again, by itself. Never true for what may
// write when the link broke while the answer was awaited: nobody knows then.
bool IsRetryable(const absl::Status& status);
// The transaction had no effect and may be run again from its beginning. Also
// true for all that IsRetryable accepts.
bool IsTransactionRetryable(const absl::Status& status);
// What was sent to be committed was not answered: it may or may not have taken effect. The
// code is UNKNOWN; or CANCELLED, DEADLINE_EXCEEDED or FAILED_PRECONDITION if it was this side
// that did not wait, because of its context or as the provider was closed.
bool IsCommitOutcomeUnknown(const absl::Status& status);

// A limit in time passed, whichever it was; looks at the code alone.
bool IsTimeout(const absl::Status& status);
// Cancelled, by Context::Cancel or otherwise; looks at the code alone.
using absl::IsCancelled;
// The daemon or the backend could not be reached; looks at the code alone.
using absl::IsUnavailable;

}  // namespace penstock

#endif  // PENSTOCK_ERRORS_H_
