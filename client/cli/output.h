// Writes the output of the commands.
#ifndef PENSTOCK_CLIENT_CLI_OUTPUT_H_
#define PENSTOCK_CLIENT_CLI_OUTPUT_H_

#include <string>

#include "absl/status/status.h"

namespace penstock::cli {

// A buffer in front of a file descriptor. Formatters append to buffer(), and their callers flush
// it. Not thread-safe.
class Output {
 public:
  // Writes to `fd`, which must outlive this object and is not closed by it. SIGPIPE must be
  // ignored.
  explicit Output(int fd) : fd_(fd) {}
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  // The output that has not been written yet.
  std::string* buffer() { return &buffer_; }

  // Writes the buffer if it holds enough to be worth a system call.
  absl::Status MaybeFlush();

  // Writes the buffer. INTERNAL with the reason if it cannot be written, for example because nobody
  // reads any more. After an error the buffer is empty, and every later call returns the same
  // error.
  absl::Status Flush();

 private:
  const int fd_;
  std::string buffer_;
  absl::Status error_;
};

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_OUTPUT_H_
