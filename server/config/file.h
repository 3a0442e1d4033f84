// Reading small files.
#ifndef PENSTOCK_SERVER_CONFIG_FILE_H_
#define PENSTOCK_SERVER_CONFIG_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace penstock::server {

// The whole file, which may be a pipe. The error's message is the reason alone,
// as in "No such file or directory"; a file larger than `max_bytes` is one.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t max_bytes);

// True if it is a file that users other than its owner and its group may read.
bool IsWorldReadable(const std::string& path);

// Creates the folder and those above it that are missing, each with mode 0700.
// An existing folder is left as it is. The error's message is the reason alone.
absl::Status MakePrivateFolder(const std::string& path);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_FILE_H_
