// Limits the connections.
#ifndef PENSTOCK_SERVER_NET_CONNECTIONS_H_
#define PENSTOCK_SERVER_NET_CONNECTIONS_H_

#include <sys/types.h>

#include <chrono>
#include <mutex>
#include <string>
#include <unordered_map>

#include "absl/status/status.h"

namespace penstock::server {

// Identifies a socket, even against a later one with the same descriptor; 0 if it is no socket.
ino_t SocketInode(int fd);

// Counts connections that somebody else owns and closes without a word: a connection
// lasts as long as its descriptor is the same socket. Thread-safe.
class Connections {
 public:
  // Admits `max` connections in all and `max_by_peer` by one peer. A peer on this machine, most
  // likely the daemon's own application, may have all.
  Connections(int max, int max_by_peer) : max_(max), max_by_peer_(max_by_peer) {}

  // Counts a new connection. Fails with RESOURCE_EXHAUSTED, naming the limit, if it must be closed.
  absl::Status Admit(int fd, const std::string& peer);

  // Returns OK, or UNAVAILABLE with the reason why the next connection of a new peer would be
  // refused.
  absl::Status Health();

  // Returns the number of connections there are now.
  int size();
  int max() const { return max_; }

 private:
  struct Entry {
    ino_t inode;
    std::string peer;
  };

  // Returns why a connection of this peer is refused, or OK.
  absl::Status Refusal(const std::string& peer) const;
  // Forgets closed connections, unless it did so a moment ago.
  void Sweep();
  void Remove(std::unordered_map<int, Entry>::iterator entry);

  const int max_;
  const int max_by_peer_;
  std::mutex mutex_;
  std::unordered_map<int, Entry> by_fd_;
  std::unordered_map<std::string, int> by_peer_;
  std::chrono::steady_clock::time_point swept_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_NET_CONNECTIONS_H_
