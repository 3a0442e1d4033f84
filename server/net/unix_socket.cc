#include "server/net/unix_socket.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "fmt/format.h"

namespace penstock::server {
namespace {

// One daemon at a time looks at who listens in a folder, and changes it.
class FolderLock {
 public:
  explicit FolderLock(int folder) : folder_(folder) {
    while (flock(folder_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~FolderLock() { flock(folder_, LOCK_UN); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  const int folder_;
};

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

std::string HiddenName() {
  static std::atomic<int> next = 0;
  return fmt::format(".penstockd-{}-{}", getpid(), next++);
}

absl::Status Failed(const std::string& path, const char* what) {
  return absl::InternalError(
      fmt::format("cannot listen on {}: {}: {}", path, what, std::strerror(errno)));
}

}  // namespace

absl::StatusOr<std::unique_ptr<UnixSocket>> UnixSocket::Prepare(const std::string& path) {
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return absl::InvalidArgumentError(
        fmt::format("the path of a unix socket is limited to {} bytes: {}",
                    sizeof(sockaddr_un::sun_path) - 1, path));
  }
  const int folder = open(FolderOf(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return Failed(path, "its folder");
  std::unique_ptr<UnixSocket> socket(new UnixSocket(path, folder));
  absl::Status free = socket->CheckFree();
  if (!free.ok()) return free;
  return socket;
}

UnixSocket::UnixSocket(std::string path, int folder)
    : path_(std::move(path)),
      name_(std::filesystem::path(path_).filename().string()),
      hidden_name_(HiddenName()),
      folder_(folder) {}

UnixSocket::~UnixSocket() {
  unlinkat(folder_, hidden_name_.c_str(), 0);
  close(folder_);
}

// The path goes through the folder's descriptor, which makes it short enough whatever it is.
std::string UnixSocket::bound_path() const {
  return fmt::format("/proc/self/fd/{}/{}", folder_, hidden_name_);
}

absl::Status UnixSocket::CheckFree() const {
  struct stat info {};
  if (fstatat(folder_, name_.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) return absl::OkStatus();
  if (!S_ISSOCK(info.st_mode)) {
    return absl::AlreadyExistsError(fmt::format("{} exists and is not a socket", path_));
  }
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.c_str(), path_.size());
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool dead =
      probe >= 0 &&
      connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 &&
      (errno == ECONNREFUSED || errno == ENOENT);
  if (probe >= 0) close(probe);
  if (dead) return absl::OkStatus();
  return absl::AlreadyExistsError(
      fmt::format("another process listens on {}; stop it, or choose another address", path_));
}

absl::Status UnixSocket::Publish(mode_t mode) {
  struct stat info {};
  if (fstatat(folder_, hidden_name_.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
      fchmodat(folder_, hidden_name_.c_str(), mode, 0) != 0) {
    return Failed(path_, "its mode");
  }
  const FolderLock lock(folder_);
  absl::Status free = CheckFree();
  if (!free.ok()) return free;
  if (renameat(folder_, hidden_name_.c_str(), folder_, name_.c_str()) != 0) {
    return Failed(path_, "its name");
  }
  device_ = info.st_dev;
  inode_ = info.st_ino;
  return absl::OkStatus();
}

void UnixSocket::Withdraw() {
  if (inode_ == 0) return;
  const FolderLock lock(folder_);
  struct stat info {};
  const bool ours = fstatat(folder_, name_.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 &&
                    info.st_dev == device_ && info.st_ino == inode_;
  if (ours) unlinkat(folder_, name_.c_str(), 0);
  inode_ = 0;
}

}  // namespace penstock::server
