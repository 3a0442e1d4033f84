#include "client/cli/output.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

#include "fmt/format.h"

namespace penstock::cli {
namespace {

constexpr size_t kFlushBytes = 64 * 1024;

absl::Status WriteError(int error) {
  if (error == EPIPE) return absl::CancelledError("the reader is gone");
  return absl::InternalError(fmt::format("cannot write the output: {}", std::strerror(error)));
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
    } else if (errno != EINTR) {
      error_ = WriteError(errno);
    }
  }
  buffer_.clear();
  return error_;
}

}  // namespace penstock::cli
