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

// `status` ended a call that changes nothing at the daemon: if the daemon could
// not be reached, the call may be made again, and the details say so.
absl::Status OfHarmlessCall(const absl::Status& status);

// The answer makes no sense: INTERNAL.
absl::Status ProtocolError(std::string_view what);

// `status` ended a call whose commit had been sent and was not answered. If the
// daemon said why, it knows the outcome and `status` stays as it is; otherwise
// the reason becomes COMMIT_OUTCOME_UNKNOWN and, unless it was this side that
// gave up, the code UNKNOWN.
absl::Status AfterCommitWasSent(const absl::Status& status);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_STATUS_H_
