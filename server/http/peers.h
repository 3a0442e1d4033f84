// Counts the connections of the HTTP server, and decides which of them must go.
#ifndef PENSTOCK_SERVER_HTTP_PEERS_H_
#define PENSTOCK_SERVER_HTTP_PEERS_H_

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>

#include "server/http/http_server.h"

namespace penstock::server {

// Keeps the limits by shutting sockets down, whereupon the library closes their connections. A
// connection is known by its descriptor. Thread-safe.
class HttpPeers {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit HttpPeers(const HttpLimits& limits) : limits_(limits) {}

  // Adds a new connection. If there are too many, the oldest of its peer or of all goes, so that
  // peers that hold connections without a need are never in the way of another. Waits for up to a
  // second for those that are about to go; later ones wait in the kernel meanwhile. Returns false
  // if so many are still there that this one is not served.
  bool Add(int fd, const std::string& peer, TimePoint now);
  // The socket is about to be closed.
  void Remove(int fd);

  // A request's first line is there; or its answer has been sent, or it was broken off.
  void Began(int fd, TimePoint now);
  void Completed(int fd, TimePoint now);

  // Ends connections that have taken too long.
  void Tick(TimePoint now);

  // Returns the number of requests that have begun.
  int active() const;

  // Includes connections that are about to go.
  static int MostOpen(const HttpLimits& limits) { return 2 * limits.connections; }

 private:
  struct Connection {
    ino_t inode;
    std::string peer;
    // When the connection came, or its last request began or was completed.
    TimePoint since;
    TimePoint until;
    bool active = false;
    bool ended = false;
  };

  static void End(int fd, Connection* connection);
  // Ends the oldest connection of a peer, or with null of all, if there are more than `most`.
  void EndOldest(const std::string* peer, int most, int but);

  const HttpLimits limits_;
  mutable std::mutex mutex_;
  std::condition_variable removed_;
  std::map<int, Connection> connections_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_HTTP_PEERS_H_
