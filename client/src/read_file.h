// Reads files, and other descriptors, to their end.
#ifndef PENSTOCK_CLIENT_SRC_READ_FILE_H_
#define PENSTOCK_CLIENT_SRC_READ_FILE_H_

#include <string>

#include "absl/status/statusor.h"

namespace penstock::internal {

// Returns everything that can be read from `fd`, which stays open. `name` is its name in errors. A
// read error is NOT_FOUND with its reason and never counts as the end; what was read before is
// dropped. More than 2 GiB, which no message can hold, is RESOURCE_EXHAUSTED.
absl::StatusOr<std::string> ReadAll(int fd, const std::string& name);

// Returns the content of the file at `path`; fails as ReadAll does.
absl::StatusOr<std::string> ReadFile(const std::string& path);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_READ_FILE_H_
