#include "server/http/peers.h"

#include <sys/socket.h>

#include <algorithm>

#include "server/net/connections.h"

namespace penstock::server {

bool HttpPeers::Add(int fd, const std::string& peer, TimePoint now) {
  constexpr std::chrono::seconds kPatience(1);
  std::unique_lock lock(mutex_);
  if (!removed_.wait_for(lock, kPatience, [this] {
        return static_cast<int>(connections_.size()) < MostOpen(limits_);
      })) {
    return false;
  }
  connections_[fd] = {
      .inode = SocketInode(fd), .peer = peer, .since = now, .until = now + limits_.request_time};
  EndOldest(&peer, limits_.connections_by_peer, fd);
  EndOldest(nullptr, limits_.connections, fd);
  return true;
}

void HttpPeers::Remove(int fd) {
  std::lock_guard lock(mutex_);
  connections_.erase(fd);
  removed_.notify_one();
}

void HttpPeers::Began(int fd, TimePoint now) {
  std::lock_guard lock(mutex_);
  const auto it = connections_.find(fd);
  if (it == connections_.end()) return;
  // The first request's time began with the connection.
  it->second.until = std::min(it->second.until, now + limits_.request_time);
  it->second.since = now;
  it->second.active = true;
}

void HttpPeers::Completed(int fd, TimePoint now) {
  std::lock_guard lock(mutex_);
  const auto it = connections_.find(fd);
  if (it == connections_.end()) return;
  it->second.until = now + limits_.idle_time;
  it->second.since = now;
  it->second.active = false;
}

void HttpPeers::Tick(TimePoint now) {
  std::lock_guard lock(mutex_);
  // One that the library gave up before it had told of it is not there any more.
  std::erase_if(connections_,
                [](const auto& it) { return SocketInode(it.first) != it.second.inode; });
  for (auto& [fd, connection] : connections_) {
    if (now >= connection.until) End(fd, &connection);
  }
}

int HttpPeers::active() const {
  std::lock_guard lock(mutex_);
  int count = 0;
  for (const auto& [fd, connection] : connections_) count += connection.active ? 1 : 0;
  return count;
}

// The descriptor is open: whoever closes it removes the connection first.
void HttpPeers::End(int fd, Connection* connection) {
  connection->ended = true;
  if (SocketInode(fd) == connection->inode) shutdown(fd, SHUT_RDWR);
}

void HttpPeers::EndOldest(const std::string* peer, int most, int but) {
  int count = 0;
  auto oldest = connections_.end();
  for (auto it = connections_.begin(); it != connections_.end(); ++it) {
    const Connection& connection = it->second;
    if (connection.ended || (peer != nullptr && connection.peer != *peer)) continue;
    ++count;
    if (it->first == but) continue;
    if (oldest == connections_.end() || connection.since < oldest->second.since) oldest = it;
  }
  if (count > most && oldest != connections_.end()) End(oldest->first, &oldest->second);
}

}  // namespace penstock::server
