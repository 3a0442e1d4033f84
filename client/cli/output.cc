#include "client/cli/output.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "fmt/format.h"

namespace penstock::cli {
namespace {

constexpr size_t kFlushBytes = 64 * 1024;

absl::Status WriteError(int error) {
  return absl::InternalError(fmt::format("cannot write the output: {}", std::strerror(error)));
}

// Waits until a descriptor that somebody else has made non-blocking is writable.
bool WaitFor(int fd) {
  pollfd wanted = {.fd = fd, .events = POLLOUT, .revents = 0};
  return poll(&wanted, 1, -1) > 0 || errno == EINTR;
}

}  // namespace

absl::Status Output::MaybeFlush() {
  return buffer_.size() < kFlushBytes && error_.ok() ? absl::OkStatus() : Flush();
}

absl::Status Output::Flush() {
  std::string_view rest = buffer_;
  while (error_.ok() && !rest.empty()) {
    const ssize_t written = write(fd_, rest.data(), rest.size());
    if (written >= 0) {
      rest.remove_prefix(written);
    } else if (errno != EINTR && !(errno == EAGAIN && WaitFor(fd_))) {
      error_ = WriteError(errno);
    }
  }
  buffer_.clear();
  return error_;
}

}  // namespace penstock::cli
