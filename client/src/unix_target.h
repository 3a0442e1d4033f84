// Targets that are unix sockets, as gRPC takes them.
#ifndef PENSTOCK_CLIENT_SRC_UNIX_TARGET_H_
#define PENSTOCK_CLIENT_SRC_UNIX_TARGET_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace penstock::internal {

// "unix:PATH" with the path's bytes written so that gRPC, which reads a URI, takes them as
// they are, also `%`, `#`, `?` and spaces. Any other target as it is. INVALID_ARGUMENT for a
// path that no socket has, being empty or longer than 107 bytes, and for one with a comma,
// which gRPC cuts there.
absl::StatusOr<std::string> GrpcTarget(std::string_view target);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_UNIX_TARGET_H_
