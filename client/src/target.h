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

// Returns true if what is sent to `target` does not leave this machine: for a unix socket, a
// loopback address and the name localhost. False if LinkTarget refuses `target`.
bool IsLocalTarget(std::string_view target);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_TARGET_H_
