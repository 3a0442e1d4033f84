// Takes connections from sockets that listen.
#ifndef PENSTOCK_SERVER_NET_ACCEPTOR_H_
#define PENSTOCK_SERVER_NET_ACCEPTOR_H_

#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "server/net/unique_fd.h"

namespace penstock::server {

// A connection that was just made.
struct Accepted {
  UniqueFd fd;
  // The listening socket by which it came.
  size_t listener;
  sockaddr_storage peer;
  socklen_t peer_size;
};

// The host at the other end, without its port, by which limits of peers count. "unix" for a unix
// socket.
std::string PeerName(const sockaddr_storage& peer);

// Tells by its PeerName whether a peer is on this machine: nobody else sees what it sends.
bool IsLocalPeer(std::string_view name);

// Accepts in a thread of its own. A failing accept is told in the log and tried again,
// whatever it was, so that no error ends the listening for good.
class Acceptor {
 public:
  struct Handlers {
    // Takes ownership of the connection. The acceptor's thread calls it, like `tick`.
    std::function<void(Accepted)> accept;
    // Called about every 100 ms; may be empty.
    std::function<void()> tick;
  };

  // `name` is for the log and the status, as in "gRPC".
  Acceptor(std::string name, std::vector<UniqueFd> listeners, Handlers handlers);
  // Stops.
  ~Acceptor();
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // Closes the listening sockets and joins the thread. Later calls have no effect. A handler must
  // not call it.
  void Stop();

  // Returns OK while connections are accepted, or would be, else UNAVAILABLE with the reason.
  // Thread-safe.
  absl::Status Health() const;

 private:
  using Clock = std::chrono::steady_clock;

  void Run();
  // 0, or the errno with which accepting failed.
  int AcceptAll();
  // Notes that accepting works, and logs it if that is news.
  void Works();
  void Failed(int error);

  const std::string name_;
  const Handlers handlers_;
  std::vector<UniqueFd> listeners_;
  UniqueFd wake_;
  // The errno of the last attempt; 0 if it succeeded.
  std::atomic<int> error_{0};
  // When the thread last came around.
  std::atomic<Clock::time_point> alive_{Clock::now()};
  std::thread thread_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_NET_ACCEPTOR_H_
