// The connections of the HTTP server, and which of them must go.
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

// Keeps to the limits by shutting sockets down, whereupon the library closes their
// connections. A connection goes by its descriptor. Thread-safe.
class HttpPeers {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  explicit HttpPeers(const HttpLimits& limits) : limits_(limits) {}

  // A new connection. If there are too many, the oldest of its peer or of all goes, so
  // that those who hold connections without a need are never in the way of another. Waits for
  // up to a second for those that are about to go, while who comes next waits in the kernel.
  // False: so many are still there that this one is not to be served.
  bool Add(int fd, const std::string& peer, TimePoint now);
  // The socket is about to be closed.
  void Remove(int fd);

  // A request's first line is there; its answer has been sent, or it was broken off.
  void Began(int fd, TimePoint now);
  void Completed(int fd, TimePoint now);

  // Ends what has taken too long.
  void Tick(TimePoint now);

  // Requests that have begun.
  int active() const;

  // Includes connections that are about to go.
  static int MostOpen(const HttpLimits& limits) { return 2 * limits.connections; }

 private:
  struct Connection {
    ino_t inode;
    std::string peer;
    // When it came, or its last request began or was completed.
    TimePoint since;
    TimePoint until;
    bool active = false;
    bool ended = false;
  };

  static void End(int fd, Connection* connection);
  // Ends the oldest of a peer (null: of all), if there are more than `most`.
  void EndOldest(const std::string* peer, int most, int but);

  const HttpLimits limits_;
  mutable std::mutex mutex_;
  std::condition_variable removed_;
  std::map<int, Connection> connections_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_HTTP_PEERS_H_
