#include "tests/support/link_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <utility>
#include <vector>

namespace penstock::testing {
namespace {

// The number of bytes on their way at which no more are read from the sender.
constexpr size_t kMostWaiting = size_t{1} << 20;

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

}  // namespace

LinkProxy::LinkProxy(std::string target, std::chrono::milliseconds delay)
    : daemon_(std::move(target)), delay_(delay) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener_, 64) != 0 ||
      getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    abort();
  }
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { Run(); });
}

LinkProxy::~LinkProxy() {
  ending_ = true;
  thread_.join();
  close(listener_);
}

std::string LinkProxy::target() const { return "127.0.0.1:" + std::to_string(port_); }

int LinkProxy::Dial() const {
  constexpr std::string_view kUnix = "unix:";
  if (!daemon_.starts_with(kUnix)) {
    const int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = Loopback(std::stoi(daemon_.substr(daemon_.rfind(':') + 1)));
    connect(tcp, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    return tcp;
  }
  const int local = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, daemon_.c_str() + kUnix.size(), sizeof(address.sun_path) - 1);
  connect(local, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
  return local;
}

void LinkProxy::Accept() {
  const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client < 0) return;
  const int at_once = 1;
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof(at_once));
  const int daemon = Dial();
  ++accepted_;
  connections_.push_back({.up = {.from = client, .to = daemon},
                          .down = {.from = daemon, .to = client, .answers = true}});
}

bool LinkProxy::Receive(Way* way) {
  if (way->waiting >= kMostWaiting) return true;
  char bytes[65536];
  const ssize_t size = recv(way->from, bytes, sizeof(bytes), MSG_DONTWAIT);
  if (size < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
  if (size == 0) return false;
  if (swallow_ || (way->answers && swallow_answers_)) return true;
  if (!way->answers) passed_ += size;
  way->chunks.push_back(
      {Clock::now() + delay_.load(), std::string(bytes, static_cast<size_t>(size))});
  way->waiting += static_cast<size_t>(size);
  return true;
}

// Does not wait for a peer that does not read, so that the other connections go on.
bool LinkProxy::Deliver(Way* way) {
  while (!way->chunks.empty() && way->chunks.front().due <= Clock::now()) {
    std::string& bytes = way->chunks.front().bytes;
    const ssize_t size = send(way->to, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0) return errno == EAGAIN || errno == EWOULDBLOCK;
    way->waiting -= static_cast<size_t>(size);
    bytes.erase(0, static_cast<size_t>(size));
    if (bytes.empty()) way->chunks.pop_front();
  }
  return true;
}

void LinkProxy::Wait() {
  std::vector<pollfd> waits = {{.fd = listener_, .events = POLLIN, .revents = 0}};
  for (const Connection& connection : connections_) {
    for (const Way& way : {std::cref(connection.up), std::cref(connection.down)}) {
      if (way.waiting >= kMostWaiting) continue;
      waits.push_back({.fd = way.from, .events = POLLIN, .revents = 0});
    }
  }
  // Returns after a millisecond, because chunks become due and commands are given meanwhile.
  poll(waits.data(), waits.size(), 1);
  if ((waits[0].revents & POLLIN) != 0) Accept();
}

void LinkProxy::Close(const Connection& connection) const {
  for (const int fd : {connection.up.from, connection.down.from}) {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    if (reset_) setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
  }
}

void LinkProxy::Run() {
  while (!ending_) {
    Wait();
    const bool cut = cut_.exchange(false);
    for (auto connection = connections_.begin(); connection != connections_.end();) {
      const bool open = !cut && Receive(&connection->up) && Receive(&connection->down) &&
                        Deliver(&connection->up) && Deliver(&connection->down);
      if (open) {
        ++connection;
        continue;
      }
      Close(*connection);
      connection = connections_.erase(connection);
    }
  }
  for (const Connection& connection : connections_) Close(connection);
}

}  // namespace penstock::testing
