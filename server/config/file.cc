#include "server/config/file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "fmt/format.h"

namespace penstock::server {
namespace {

absl::Status SystemError(int error) {
  return absl::UnavailableError(std::generic_category().message(error));
}

// Tells whether the path is a file with this bit in its mode.
bool HasMode(const std::string& path, mode_t bit) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & bit) != 0;
}

}  // namespace

absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t max_bytes) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return SystemError(errno);
  char buffer[16 << 10];
  // What is read may be a secret: a text that does not grow leaves no copies behind.
  std::string content;
  content.reserve(sizeof(buffer));
  ssize_t count = 0;
  int error = 0;
  do {
    count = read(fd, buffer, sizeof(buffer));
    if (count > 0) content.append(buffer, count);
    if (count < 0) error = errno;
  } while ((count > 0 && content.size() <= max_bytes) || (count < 0 && error == EINTR));
  close(fd);
  explicit_bzero(buffer, sizeof(buffer));
  if (count < 0) return SystemError(error);
  if (content.size() > max_bytes) {
    return absl::ResourceExhaustedError(fmt::format("it has more than {} bytes", max_bytes));
  }
  return content;
}

bool IsWorldReadable(const std::string& path) { return HasMode(path, S_IROTH); }

bool IsWorldWritable(const std::string& path) { return HasMode(path, S_IWOTH); }

absl::Status MakePrivateFolder(const std::string& path) {
  std::filesystem::path folder;
  for (const auto& part : std::filesystem::path(path)) {
    folder /= part;
    if (mkdir(folder.c_str(), 0700) == 0) continue;
    // mkdir may say that a folder exists or, above it, that it is read-only or not ours.
    const int error = errno;
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder, ignored)) return SystemError(error);
  }
  return absl::OkStatus();
}

}  // namespace penstock::server
