#include "server/rpc/base/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "server/net/acceptor.h"

namespace penstock::server {
namespace {

// Returns the address between the brackets, which may be escaped, without a zone.
std::string HostOfV6(std::string_view rest) {
  const std::string_view open = rest.starts_with("%5B") ? "%5B" : "[";
  const std::string_view close = rest.starts_with("%5B") ? "%5D" : "]";
  if (!rest.starts_with(open)) return "";
  rest.remove_prefix(open.size());
  rest = rest.substr(0, rest.find(close));
  return std::string(rest.substr(0, rest.find('%')));
}

}  // namespace

std::string PeerOf(std::string_view uri) {
  sockaddr_storage peer{};
  if (uri.starts_with("ipv4:")) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(peer);
    const std::string host(uri.substr(5, uri.rfind(':') - 5));
    if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) v4.sin_family = AF_INET;
  } else if (uri.starts_with("ipv6:")) {
    auto& v6 = reinterpret_cast<sockaddr_in6&>(peer);
    const std::string host = HostOfV6(uri.substr(5));
    if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) v6.sin6_family = AF_INET6;
  }
  return PeerName(peer);
}

}  // namespace penstock::server
