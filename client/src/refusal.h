// Errors that the client makes without protobuf, for the parts that do not link it: values, rows
// and the query builder.
#ifndef PENSTOCK_CLIENT_SRC_REFUSAL_H_
#define PENSTOCK_CLIENT_SRC_REFUSAL_H_

#include <string_view>

#include "absl/status/status.h"

namespace penstock::internal {

// The URL of the payload in which a status carries the text of its details; see detail_text.h.
inline constexpr char kDetailUrl[] = "penstock";

// Makes a status with a reason (a name of penstock.v1.Reason without its prefix), RETRY_NEVER, and
// a hint unless that is empty.
absl::Status Refusal(absl::StatusCode code, std::string_view message, std::string_view reason,
                     std::string_view hint = "");

absl::Status InvalidParameter(std::string_view message);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_REFUSAL_H_
