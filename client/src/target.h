// Config::target.
#ifndef PENSTOCK_CLIENT_SRC_TARGET_H_
#define PENSTOCK_CLIENT_SRC_TARGET_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace penstock::internal {

// What gRPC calls the target of Config::target: a URI, whose path has any bytes encoded.
// INVALID_ARGUMENT says what is wrong with `target`: no port, too long a path.
absl::StatusOr<std::string> LinkTarget(std::string_view target);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_TARGET_H_
