#include "client/src/read_file.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "client/src/format.h"

namespace penstock::internal {
namespace {

constexpr size_t kMost = size_t{2} << 30;

absl::Status CannotRead(const std::string& name, int error) {
  return absl::NotFoundError(internal::Format("cannot read {}: {}", name, std::strerror(error)));
}

// Waits until a descriptor that somebody else has made non-blocking is readable. Returns false on
// failure.
bool WaitFor(int fd) {
  pollfd wanted = {.fd = fd, .events = POLLIN, .revents = 0};
  return poll(&wanted, 1, -1) > 0 || errno == EINTR;
}

}  // namespace

absl::StatusOr<std::string> ReadAll(int fd, const std::string& name) {
  std::string content;
  size_t size = 0;
  for (;;) {
    if (size == content.size()) content.resize(std::max(2 * size, size_t{16} << 10));
    const ssize_t count = read(fd, content.data() + size, content.size() - size);
    if (count < 0 && (errno == EINTR || (errno == EAGAIN && WaitFor(fd)))) continue;
    if (count < 0) return CannotRead(name, errno);
    if (count == 0) break;
    size += static_cast<size_t>(count);
    if (size > kMost) {
      return absl::ResourceExhaustedError(internal::Format("{} has more than 2 GiB", name));
    }
  }
  content.resize(size);
  return content;
}

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return CannotRead(path, errno);
  absl::StatusOr<std::string> content = ReadAll(fd, path);
  close(fd);
  return content;
}

}  // namespace penstock::internal
