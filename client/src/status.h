// Errors between the wire and absl::Status.
#ifndef PENSTOCK_CLIENT_SRC_STATUS_H_
#define PENSTOCK_CLIENT_SRC_STATUS_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "penstock/context.h"

namespace grpc {
class Status;
}  // namespace grpc

namespace penstock::v1 {
class Error;
class ErrorDetail;
}  // namespace penstock::v1

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
absl::Status InvalidParameter(std::string_view message);
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

// What a caller is to know about a call that ended with `end` (see Channel::Explain) and
// without an answer. What the daemon itself says stays. Else, where the call had no effect,
// the reason is CONNECTION_FAILED and the call may be made again; where it may have had one,
// it is COMMIT_OUTCOME_UNKNOWN. `*again` becomes true if it is worth making again at once,
// over another connection. OK stays OK.
absl::Status Settle(const absl::Status& end, Reach reach, bool* again);
// Likewise, by somebody who does not make it again.
absl::Status Settle(const absl::Status& end, Reach reach);

// A failure that the daemon has answered with, or the end of a stream: it was draining, and
// never began with the call.
bool IsRefusedByDrain(const absl::Status& status);

// `end` ended a transaction whose COMMIT was not sent: it is rolled back and may be run
// again, unless this side ended it.
absl::Status OfLostTransaction(const absl::Status& end);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_STATUS_H_
