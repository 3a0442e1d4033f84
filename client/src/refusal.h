// Failures that this side finds, without protobuf, for what links none of it: values, rows and
// the query builder.
#ifndef PENSTOCK_CLIENT_SRC_REFUSAL_H_
#define PENSTOCK_CLIENT_SRC_REFUSAL_H_

#include <string_view>

#include "absl/status/status.h"

namespace penstock::internal {

// Under this name a status carries the text of its particulars, see detail_text.h.
inline constexpr char kDetailUrl[] = "penstock";

// A status with a reason, which is a name of penstock.v1.Reason without its prefix, RETRY_NEVER,
// and a hint unless it is empty.
absl::Status Refusal(absl::StatusCode code, std::string_view message, std::string_view reason,
                     std::string_view hint = "");

absl::Status InvalidParameter(std::string_view message);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_REFUSAL_H_
