#include "server/net/connections.h"

#include <sys/stat.h>

#include "fmt/format.h"
#include "server/net/acceptor.h"

namespace penstock::server {
namespace {

// The pause makes a flood of refused connections cheap.
constexpr auto kSweepPause = std::chrono::milliseconds(20);

}  // namespace

ino_t SocketInode(int fd) {
  struct stat info {};
  if (fstat(fd, &info) != 0 || !S_ISSOCK(info.st_mode)) return 0;
  return info.st_ino;
}

absl::Status Connections::Admit(int fd, const std::string& peer) {
  std::lock_guard lock(mutex_);
  // The system gives a number away again once it is closed.
  if (const auto old = by_fd_.find(fd); old != by_fd_.end()) Remove(old);
  if (!Refusal(peer).ok()) Sweep();
  absl::Status refused = Refusal(peer);
  if (!refused.ok()) return refused;
  by_fd_[fd] = {SocketInode(fd), peer};
  ++by_peer_[peer];
  return absl::OkStatus();
}

absl::Status Connections::Refusal(const std::string& peer) const {
  if (static_cast<int>(by_fd_.size()) >= max_) {
    return absl::ResourceExhaustedError(fmt::format("max_connections ({}) is reached", max_));
  }
  const auto count = by_peer_.find(peer);
  if (!IsLocalPeer(peer) && count != by_peer_.end() && count->second >= max_by_peer_) {
    return absl::ResourceExhaustedError(
        fmt::format("one peer has {} of max_connections ({})", max_by_peer_, max_));
  }
  return absl::OkStatus();
}

absl::Status Connections::Health() {
  if (size() < max_) return absl::OkStatus();
  return absl::UnavailableError(
      fmt::format("new connections are refused: max_connections ({}) is reached", max_));
}

int Connections::size() {
  std::lock_guard lock(mutex_);
  Sweep();
  return static_cast<int>(by_fd_.size());
}

void Connections::Sweep() {
  const auto now = std::chrono::steady_clock::now();
  if (now - swept_ < kSweepPause) return;
  swept_ = now;
  for (auto it = by_fd_.begin(); it != by_fd_.end();) {
    const auto entry = it++;
    if (SocketInode(entry->first) != entry->second.inode) Remove(entry);
  }
}

void Connections::Remove(std::unordered_map<int, Entry>::iterator entry) {
  const auto count = by_peer_.find(entry->second.peer);
  if (--count->second == 0) by_peer_.erase(count);
  by_fd_.erase(entry);
}

}  // namespace penstock::server
