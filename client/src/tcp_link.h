// Plain TCP connections that do not go through gRPC.
#ifndef PENSTOCK_CLIENT_SRC_TCP_LINK_H_
#define PENSTOCK_CLIENT_SRC_TCP_LINK_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace penstock::internal {

// The two parts of "host:port" or "[ipv6]:port"; both are empty if the text is neither.
struct HostAndPort {
  std::string host;
  std::string port;
};
HostAndPort ParseHostAndPort(std::string_view target);

// Connects and returns the descriptor, which the caller must close, or -1. Blocks: resolving the
// name, connecting to one address, and each later read or write take at most `limit`.
int ConnectTcp(const HostAndPort& address, absl::Duration limit);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_TCP_LINK_H_
