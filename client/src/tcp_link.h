// A TCP connection of our own, beside those of gRPC.
#ifndef PENSTOCK_CLIENT_SRC_TCP_LINK_H_
#define PENSTOCK_CLIENT_SRC_TCP_LINK_H_

#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace penstock::internal {

// "host:port" or "[ipv6]:port", in two; both empty if it is neither.
struct HostAndPort {
  std::string host;
  std::string port;
};
HostAndPort ParseHostAndPort(std::string_view target);

// The descriptor of a connection, to be closed by the caller, or -1. It blocks; neither
// looking the name up, connecting to one address, nor one read or write on it takes longer than
// `limit`.
int ConnectTcp(const HostAndPort& address, absl::Duration limit);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_TCP_LINK_H_
