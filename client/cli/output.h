// Where the commands write what they found.
#ifndef PENSTOCK_CLIENT_CLI_OUTPUT_H_
#define PENSTOCK_CLIENT_CLI_OUTPUT_H_

#include <string>

#include "absl/status/status.h"

namespace penstock::cli {

// A buffer in front of a file descriptor. Formatters append to buffer(); the
// caller flushes. Not thread-safe.
class Output {
 public:
  // Writes to `fd`, which stays open for longer than this object and is not
  // closed by it. SIGPIPE has to be ignored.
  explicit Output(int fd) : fd_(fd) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // What has not been written yet.
  std::string* buffer() { return &buffer_; }

  // Writes the buffer out once it holds enough to be worth a write.
  absl::Status MaybeFlush();

  // Writes the buffer out. INTERNAL with the reason when it cannot be written, also when
  // nobody reads any more. After an error the buffer is empty, and every later call returns
  // the same error.
  absl::Status Flush();

 private:
  const int fd_;
  std::string buffer_;
  absl::Status error_;
};

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_OUTPUT_H_
