// Reads small files.
#ifndef PENSTOCK_SERVER_CONFIG_FILE_H_
#define PENSTOCK_SERVER_CONFIG_FILE_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace penstock::server {

// Returns the whole file, which may be a pipe. The error's message is the reason alone, as in "No
// such file or directory". A file larger than `max_bytes` is an error.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t max_bytes);

// Tells whether users other than the file's owner and group may read it, or write to it. A pipe, or
// a file that is not there, is neither.
bool IsWorldReadable(const std::string& path);
bool IsWorldWritable(const std::string& path);

// Creates the folder and the missing ones above it, each with mode 0700. An existing folder stays
// as it is. The error's message is the reason alone.
absl::Status MakePrivateFolder(const std::string& path);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_FILE_H_
