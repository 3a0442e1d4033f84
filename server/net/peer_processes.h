// Who is at the other end of a unix socket.
#ifndef PENSTOCK_SERVER_NET_PEER_PROCESSES_H_
#define PENSTOCK_SERVER_NET_PEER_PROCESSES_H_

#include <sys/types.h>

#include <mutex>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "server/net/unique_fd.h"

namespace penstock::server {

// The process at the other end of a unix socket, as the kernel tells it.
struct PeerProcess {
  uid_t uid = 0;
  // The primary group first.
  std::vector<gid_t> groups;
};

// Remembers the processes behind connections that gRPC owns and closes without a word. gRPC names
// such a connection by its descriptor, whose number the system gives away again at once: so each
// connection gets a number that has not been used for thousands of connections, and an answer is
// given only while that descriptor is still the same socket. Thread-safe.
class PeerProcesses {
 public:
  // Asks the kernel who has connected, and moves the connection to a number of its own. Returns an
  // empty descriptor, having closed the connection, if there is none to be had.
  UniqueFd Add(UniqueFd connection);

  // Returns the process behind gRPC's name of a peer, "fd:17"; nothing for any other name, and for
  // a connection that is closed.
  std::optional<PeerProcess> Find(std::string_view peer) const;

 private:
  struct Entry {
    ino_t inode;
    PeerProcess process;
  };

  // The numbers begin above those that the rest of the daemon needs, and begin anew after so many.
  static constexpr int kFirst = 256;
  static constexpr int kNumbers = 1 << 14;

  UniqueFd Move(const UniqueFd& connection);

  mutable std::mutex mutex_;
  int next_ = kFirst;
  std::unordered_map<int, Entry> by_fd_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_NET_PEER_PROCESSES_H_
