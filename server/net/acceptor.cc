#include "server/net/acceptor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "fmt/format.h"
#include "server/log/log.h"

namespace penstock::server {
namespace {

constexpr int kTickMilliseconds = 100;
// One socket gives at most this many at once before the others have their turn.
constexpr int kBatch = 64;
// A thread that has not come around for so long accepts nothing.
constexpr auto kStuck = std::chrono::seconds(5);

// The connection is broken, but not the listening: the next one may be good.
bool IsOfOneConnection(int error) {
  switch (error) {
    case ECONNABORTED:
    case EINTR:
    case EPROTO:
    case EPERM:
    case ETIMEDOUT:
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENONET:
    case ENOPROTOOPT:
    case EOPNOTSUPP: return true;
    default: return false;
  }
}

}  // namespace

std::string PeerName(const sockaddr_storage& peer) {
  char text[INET6_ADDRSTRLEN] = "";
  if (peer.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(peer);
    return inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
  }
  if (peer.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(peer);
    // A host with an IPv4 address has one name, by whichever socket it comes.
    if (IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) {
      return inet_ntop(AF_INET, &v6.sin6_addr.s6_addr[12], text, sizeof(text));
    }
    // The owner of one IPv6 address has the 2^64 of its network.
    in6_addr network = v6.sin6_addr;
    for (size_t i = 8; i < sizeof(network.s6_addr); ++i) network.s6_addr[i] = 0;
    if (IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr)) network = v6.sin6_addr;
    return inet_ntop(AF_INET6, &network, text, sizeof(text));
  }
  return "unix";
}

bool IsLocalPeer(std::string_view name) {
  return name == "unix" || name == "::1" || name.starts_with("127.");
}

Acceptor::Acceptor(std::string name, std::vector<UniqueFd> listeners, Handlers handlers)
    : name_(std::move(name)),
      handlers_(std::move(handlers)),
      listeners_(std::move(listeners)),
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      thread_([this] { Run(); }) {}

Acceptor::~Acceptor() { Stop(); }

void Acceptor::Stop() {
  if (!thread_.joinable()) return;
  eventfd_write(wake_.get(), 1);
  thread_.join();
  listeners_.clear();
}

absl::Status Acceptor::Health() const {
  const int error = error_.load();
  if (error != 0) {
    return absl::UnavailableError(fmt::format("{} accepts no connections: {}", name_,
                                              std::generic_category().message(error)));
  }
  if (Clock::now() - alive_.load() > kStuck) {
    return absl::UnavailableError(
        fmt::format("{} accepts no connections: its thread is stuck", name_));
  }
  return absl::OkStatus();
}

void Acceptor::Run() {
  std::vector<pollfd> polled = {{.fd = wake_.get(), .events = POLLIN, .revents = 0}};
  for (const UniqueFd& listener : listeners_) {
    polled.push_back({.fd = listener.get(), .events = POLLIN, .revents = 0});
  }
  for (int error = 0;;) {
    // After an error there is nothing but the pause: the sockets would be ready all the time.
    poll(polled.data(), error == 0 ? polled.size() : 1, kTickMilliseconds);
    if (polled[0].revents != 0) return;
    alive_ = Clock::now();
    error = AcceptAll();
    if (error == 0) {
      Works();
    } else {
      Failed(error);
    }
    if (handlers_.tick) handlers_.tick();
  }
}

int Acceptor::AcceptAll() {
  for (size_t i = 0; i < listeners_.size(); ++i) {
    for (int count = 0; count < kBatch; ++count) {
      Accepted accepted{.fd = UniqueFd(), .listener = i, .peer = {}, .peer_size = 0};
      accepted.peer_size = sizeof(accepted.peer);
      accepted.fd =
          UniqueFd(accept4(listeners_[i].get(), reinterpret_cast<sockaddr*>(&accepted.peer),
                           &accepted.peer_size, SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (accepted.fd) {
        // This happens before anybody can be answered over it.
        Works();
        handlers_.accept(std::move(accepted));
        continue;
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      if (!IsOfOneConnection(errno)) return errno;
    }
  }
  return 0;
}

void Acceptor::Works() {
  alive_ = Clock::now();
  if (error_.exchange(0) == 0) return;
  Log(Level::kInfo, "accepts connections again", {{"listener", name_}});
}

void Acceptor::Failed(int error) {
  if (error_.exchange(error) == error) return;  // told already
  Log(Level::kError, "accepts no connections",
      {{"listener", name_}, {"error", std::generic_category().message(error)}});
}

}  // namespace penstock::server
