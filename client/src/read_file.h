// Files, and whatever else has a descriptor, to their end.
#ifndef PENSTOCK_CLIENT_SRC_READ_FILE_H_
#define PENSTOCK_CLIENT_SRC_READ_FILE_H_

#include <string>

#include "absl/status/statusor.h"

namespace penstock::internal {

// All that can be read from `fd`, which stays open. `name` is what the error calls it. A
// read that fails is NOT_FOUND with the reason, and never taken for the end; what was read
// before is dropped. More than 2 GiB, which no message holds, is RESOURCE_EXHAUSTED.
absl::StatusOr<std::string> ReadAll(int fd, const std::string& name);

// The file at `path`; errors as ReadAll's.
absl::StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_READ_FILE_H_
