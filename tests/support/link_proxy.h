// A proxy between a client and a daemon that misbehaves as networks do.
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

// Listens on a port of 127.0.0.1 and passes all bytes on to the daemon.
class LinkProxy {
 public:
  // `target` is "unix:/path" or "127.0.0.1:port". Bytes are delayed by `delay` in each direction.
  explicit LinkProxy(std::string target,
                     std::chrono::milliseconds delay = std::chrono::milliseconds(0));
  ~LinkProxy();
  LinkProxy(const LinkProxy&) = delete;
  LinkProxy& operator=(const LinkProxy&) = delete;

  // Returns "127.0.0.1:port".
  std::string target() const;

  // From now on drops all bytes that are sent, without telling anybody. A connection that has lost
  // bytes cannot be used afterwards; end it with Cut.
  void Swallow(bool on = true) { swallow_ = on; }
  // Drops only what the daemon sends.
  void SwallowAnswers(bool on = true) { swallow_answers_ = on; }
  // From now on delays bytes by `delay`.
  void SetDelay(std::chrono::milliseconds delay) { delay_ = delay; }
  // The ways to end a connection.
  enum class End : uint8_t {
    kClose,  // as if the other side had closed it: FIN
    kReset,  // RST; bytes on their way are lost
  };
  // Ends the open connections on both sides. New connections work.
  void Cut(End end = End::kClose) {
    reset_ = end == End::kReset;
    cut_ = true;
  }
  // Returns how many connections were accepted.
  int accepted() const { return accepted_; }
  // Returns how many bytes from clients were passed on.
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
  // Waits up to a millisecond for something to do.
  void Wait();
  void Accept();
  void Close(const Connection& connection) const;
  // Return false if the connection has ended.
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
