#include "client/src/tcp_link.h"

#include <netdb.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstddef>
#include <memory>

#include "absl/time/clock.h"

namespace penstock::internal {
namespace {

// Linux applies the send timeout to connecting, too.
int ConnectTo(const addrinfo& address, const timeval& limit) {
  const int fd = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  if (connect(fd, address.ai_addr, address.ai_addrlen) == 0) return fd;
  close(fd);
  return -1;
}

// A request to resolve a name. The resolver's thread uses it concurrently.
struct Lookup {
  HostAndPort address;
  addrinfo wanted = {};
  gaicb control = {};
};

using Addresses = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

// Returns the addresses of a name; null if there are none or `limit` has passed.
Addresses LookUp(const HostAndPort& address, absl::Duration limit) {
  auto lookup = std::make_unique<Lookup>();
  lookup->address = address;
  lookup->wanted.ai_socktype = SOCK_STREAM;
  lookup->wanted.ai_flags = AI_ADDRCONFIG;
  lookup->control.ar_name = lookup->address.host.c_str();
  lookup->control.ar_service = lookup->address.port.c_str();
  lookup->control.ar_request = &lookup->wanted;
  gaicb* list[] = {&lookup->control};
  Addresses none(nullptr, freeaddrinfo);
  if (getaddrinfo_a(GAI_NOWAIT, list, 1, nullptr) != 0) return none;
  const absl::Time give_up = absl::Now() + limit;
  while (gai_error(list[0]) == EAI_INPROGRESS && absl::Now() < give_up) {
    const timespec left = absl::ToTimespec(give_up - absl::Now());
    gai_suspend(list, 1, &left);
  }
  if (gai_error(list[0]) == EAI_INPROGRESS && gai_cancel(list[0]) != EAI_CANCELED &&
      gai_error(list[0]) == EAI_INPROGRESS) {
    // The resolver can no longer be stopped and will write to the request, so it must stay.
    [[maybe_unused]] const Lookup* left = lookup.release();
    return none;
  }
  return Addresses(gai_error(list[0]) == 0 ? lookup->control.ar_result : nullptr, freeaddrinfo);
}

}  // namespace

HostAndPort ParseHostAndPort(std::string_view target) {
  const size_t colon = target.rfind(':');
  if (colon == std::string_view::npos || target.find('/') != std::string_view::npos) return {};
  std::string_view host = target.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {.host = std::string(host), .port = std::string(target.substr(colon + 1))};
}

int ConnectTcp(const HostAndPort& address, absl::Duration limit) {
  const Addresses found = LookUp(address, limit);
  for (const addrinfo* each = found.get(); each != nullptr; each = each->ai_next) {
    const int fd = ConnectTo(*each, absl::ToTimeval(limit));
    if (fd >= 0) return fd;
  }
  return -1;
}

}  // namespace penstock::internal
