// A proxy of bytes between a client and a daemon that does what networks do.
#ifndef PENSTOCK_TESTS_SUPPORT_LINK_PROXY_H_
#define PENSTOCK_TESTS_SUPPORT_LINK_PROXY_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <list>
#include <string>
#include <thread>

namespace penstock::testing {

// Listens on a port of 127.0.0.1 and passes everything on to the daemon's unix socket.
class LinkProxy {
 public:
  // `target` is "unix:/path" or "127.0.0.1:port". Bytes take `delay` in each direction.
  explicit LinkProxy(std::string target,
                     std::chrono::milliseconds delay = std::chrono::milliseconds(0));
  ~LinkProxy();
  LinkProxy(const LinkProxy&) = delete;
  LinkProxy& operator=(const LinkProxy&) = delete;

  // "127.0.0.1:port"
  std::string target() const;

  // From now on everything that is sent vanishes, and nobody is told. Connections that have
  // lost something are of no use afterwards: Cut them.
  void Swallow(bool on = true) { swallow_ = on; }
  // Likewise what the daemon sends.
  void SwallowAnswers(bool on = true) { swallow_answers_ = on; }
  // From now on bytes take so long.
  void SetDelay(std::chrono::milliseconds delay) { delay_ = delay; }
  // How connections end.
  enum class End : uint8_t {
    kClose,  // as by the other side: FIN
    kReset,  // RST, and what is under way is lost
  };
  // Cuts what is open now, both ways. New connections work.
  void Cut(End end = End::kClose) {
    reset_ = end == End::kReset;
    cut_ = true;
  }
  // Connections that were accepted.
  int accepted() const { return accepted_; }
  // Bytes that clients have sent and that were passed on.
  int64_t passed() const { return passed_; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Chunk {
    Clock::time_point due;
    std::string bytes;
  };
  // One direction of a connection.
  struct Way {
    int from = -1;
    int to = -1;
    bool answers = false;
    std::deque<Chunk> chunks = {};
    size_t waiting = 0;  // bytes in them
  };
  struct Connection {
    Way up;
    Way down;
  };

  void Run();
  // Waits for something to do, for a millisecond at most.
  void Wait();
  void Accept();
  void Close(const Connection& connection) const;
  // False: the connection has ended.
  bool Receive(Way* way);
  bool Deliver(Way* way);
  int Dial() const;

  const std::string daemon_;
  std::atomic<std::chrono::milliseconds> delay_;
  int listener_ = -1;
  int port_ = 0;
  std::list<Connection> connections_;
  std::atomic<bool> ending_{false};
  std::atomic<bool> swallow_{false};
  std::atomic<bool> swallow_answers_{false};
  std::atomic<bool> cut_{false};
  std::atomic<bool> reset_{false};
  std::atomic<int> accepted_{0};
  std::atomic<int64_t> passed_{0};
  std::thread thread_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_LINK_PROXY_H_
