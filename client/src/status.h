// Errors between the wire and absl::Status.
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

// Reads the ErrorDetail that a status carries. False if it carries none.
bool GetDetail(const absl::Status& status, v1::ErrorDetail* detail);
bool HasDetail(const absl::Status& status);

// A status that carries `detail`.
absl::Status WithDetail(absl::Status status, const v1::ErrorDetail& detail);

// An in-band failure. Never OK.
absl::Status ToStatus(const v1::Error& error);
// The end of a call, with what its details hold. OK stays OK.
absl::Status ToStatus(const grpc::Status& status);

// Failures that this side finds, with the reason the daemon would give.
absl::Status CancelledByCaller();
absl::Status CallDeadlinePassed();
// The daemon cancelled: that is how it cuts off a client that does not read its result, and
// what it cannot wait for at its end. Without details.
absl::Status CutOff();
// Next after Close, before the end: what was read is not all.
absl::Status EntriesClosed();
// The transaction cannot do this before its open rows are closed.
absl::Status RowsAreOpen();
absl::Status EmptyStatement();
absl::Status MessageTooLarge(std::string_view message);

// The answer makes no sense: INTERNAL.
absl::Status ProtocolError(std::string_view what);

// What a call that was lost may have done at the daemon.
enum class Reach {
  kNotSent,    // nothing: the daemon never had all of it
  kMaybeSent,  // it was sent, and may write
  kHarmless,   // it may have been sent, and changes nothing
};

// Whether a call that failed is to be made once more at once. Only what had no effect is.
enum class Again {
  kNo,
  kElsewhere,   // over another connection: this one found no daemon, or lost it
  kAfterDrain,  // the same, although this one works: its daemon is about to end
  kWithRoom,    // after streams that are idle have ended: the daemon has no room for more
};

// What a caller is to know about a call that ended with `end` (see Channel::Explain) and
// without an answer. What the daemon itself says stays. Else, where the call had no effect,
// the reason is CONNECTION_FAILED and the call may be made again; where it may have had one,
// it is COMMIT_OUTCOME_UNKNOWN. OK stays OK.
absl::Status Settle(const absl::Status& end, Reach reach, Again* again);
// Likewise, by somebody who does not make it again.
absl::Status Settle(const absl::Status& end, Reach reach);

// Of an answer, or the end of a call, that the daemon itself gives.
Again AfterRefusal(const absl::Status& status);

// The daemon has ended a stream well before it took a request.
absl::Status NotTaken();

// `end` ended a transaction whose COMMIT was not sent: it is rolled back and may be run
// again, unless this side ended it.
absl::Status OfLostTransaction(const absl::Status& end);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_STATUS_H_
