// Converts errors between the wire and absl::Status, and makes the client's own errors.
#ifndef PENSTOCK_CLIENT_SRC_STATUS_H_
#define PENSTOCK_CLIENT_SRC_STATUS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "client/src/refusal.h"  // IWYU pragma: export
#include "penstock/context.h"

namespace grpc {
class Status;
}  // namespace grpc

namespace penstock::internal::v1 {
class Error;
class ErrorDetail;
}  // namespace penstock::internal::v1

namespace penstock::internal {

// Reads the ErrorDetail of a status. Returns false if it has none.
bool GetDetail(const absl::Status& status, v1::ErrorDetail* detail);
bool HasDetail(const absl::Status& status);

// Returns `status` with `detail` attached.
absl::Status WithDetail(absl::Status status, const v1::ErrorDetail& detail);

// Converts an error that an answer carries. Never OK.
absl::Status ToStatus(const v1::Error& error);
// Converts the status at the end of a call, with its details. OK stays OK.
absl::Status ToStatus(const grpc::Status& status);

// Errors that the client finds itself. They have the reason that the daemon would give.
absl::Status CancelledByCaller();
absl::Status CallDeadlinePassed();
// The daemon cancelled the call without details. It does so when a client does not read a result,
// and to what it cannot wait for when it shuts down.
absl::Status CutOff();
// Entries::Next was called after a Close before the end, so what was read is incomplete.
absl::Status EntriesClosed();
// The transaction cannot do this until its open rows are closed.
absl::Status RowsAreOpen();
absl::Status EmptyStatement();
absl::Status MessageTooLarge(std::string_view message);

// The daemon's answer violates the protocol: INTERNAL.
absl::Status ProtocolError(std::string_view what);

// How far the request of a lost call got.
enum class Reach {
  kNotSent,    // the daemon never had all of it, so it had no effect
  kMaybeSent,  // it may have been sent, and it may write
  kHarmless,   // it may have been sent, but it changes nothing
};

// Whether and how a failed call is repeated at once. Only calls without effect are.
enum class Again {
  kNo,
  kElsewhere,   // over another connection: this one found no daemon, or lost it
  kAfterDrain,  // over another connection: this one works, but its daemon is shutting down
  kWithRoom,    // after ending idle streams: the daemon has no room for another session
};

// Returns the error for the caller of a call that ended with `end` (see Channel::Explain) and
// without an answer. An error that the daemon itself has sent is kept. Otherwise, if the call had
// no effect, the reason is CONNECTION_FAILED and `*again` is set; if it may have had one, the
// reason is COMMIT_OUTCOME_UNKNOWN. OK stays OK.
absl::Status Settle(const absl::Status& end, Reach reach, Again* again);
// Does the same for a caller that does not repeat the call.
absl::Status Settle(const absl::Status& end, Reach reach);

// Decides whether a call is repeated that the daemon itself has refused.
Again AfterRefusal(const absl::Status& status);

// The daemon has ended a stream with OK before it accepted a request.
absl::Status NotTaken();

// Returns the error of a transaction that `end` has ended before COMMIT was sent. The transaction
// is rolled back and may be repeated, unless this client ended it.
absl::Status OfLostTransaction(const absl::Status& end);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_STATUS_H_
