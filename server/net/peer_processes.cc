#include "server/net/peer_processes.h"

#include <fcntl.h>
#include <sys/socket.h>

#include <charconv>
#include <utility>

#include "server/net/connections.h"

namespace penstock::server {
namespace {

constexpr std::string_view kPrefix = "fd:";

// Returns the supplementary groups; none where the kernel does not tell them.
std::vector<gid_t> Groups(int fd) {
  socklen_t size = 0;
  // The first question is how much room they need.
  if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, nullptr, &size) == 0 || errno != ERANGE) return {};
  std::vector<gid_t> groups(size / sizeof(gid_t));
  if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) != 0) return {};
  groups.resize(size / sizeof(gid_t));
  return groups;
}

std::optional<PeerProcess> Ask(int fd) {
  ucred credentials{};
  socklen_t size = sizeof(credentials);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) return std::nullopt;
  PeerProcess process{.uid = credentials.uid, .groups = {credentials.gid}};
  const std::vector<gid_t> others = Groups(fd);
  process.groups.insert(process.groups.end(), others.begin(), others.end());
  return process;
}

}  // namespace

UniqueFd PeerProcesses::Move(const UniqueFd& connection) {
  if (next_ >= kFirst + kNumbers) next_ = kFirst;
  int moved = fcntl(connection.get(), F_DUPFD_CLOEXEC, next_);
  // There are fewer numbers than that, or none is left above.
  if (moved < 0) moved = fcntl(connection.get(), F_DUPFD_CLOEXEC, kFirst);
  if (moved < 0) moved = fcntl(connection.get(), F_DUPFD_CLOEXEC, 0);
  if (moved >= 0) next_ = moved + 1;
  return UniqueFd(moved);
}

UniqueFd PeerProcesses::Add(UniqueFd connection) {
  std::optional<PeerProcess> process = Ask(connection.get());
  std::lock_guard lock(mutex_);
  UniqueFd moved = Move(connection);
  if (!moved || !process.has_value()) return UniqueFd();
  by_fd_[moved.get()] = {SocketInode(moved.get()), *std::move(process)};
  return moved;
}

std::optional<PeerProcess> PeerProcesses::Find(std::string_view peer) const {
  if (!peer.starts_with(kPrefix)) return std::nullopt;
  peer.remove_prefix(kPrefix.size());
  int fd = -1;
  const auto [end, error] = std::from_chars(peer.data(), peer.data() + peer.size(), fd);
  if (error != std::errc() || end != peer.data() + peer.size()) return std::nullopt;
  std::lock_guard lock(mutex_);
  const auto found = by_fd_.find(fd);
  if (found == by_fd_.end() || SocketInode(fd) != found->second.inode) return std::nullopt;
  return found->second.process;
}

}  // namespace penstock::server
