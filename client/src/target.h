// Converts Config::target for gRPC.
#ifndef PENSTOCK_CLIENT_SRC_TARGET_H_
#define PENSTOCK_CLIENT_SRC_TARGET_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace penstock::internal {

// Returns gRPC's form of Config::target: a URI in whose path every byte is encoded as needed.
// INVALID_ARGUMENT says what is wrong with `target`, such as a missing port or a path that is too
// long.
absl::StatusOr<std::string> LinkTarget(std::string_view target);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_TARGET_H_
