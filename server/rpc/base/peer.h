// The peer of a call.
#ifndef PENSTOCK_SERVER_RPC_BASE_PEER_H_
#define PENSTOCK_SERVER_RPC_BASE_PEER_H_

#include <string>
#include <string_view>

namespace penstock::server {

// Returns the host in gRPC's name of a peer ("ipv4:10.0.0.1:4711", "ipv6:%5B2001:db8::1%5D:4711")
// as PeerName has it: without the port, and of an IPv6 address its network. Any other peer is
// "unix".
std::string PeerOf(std::string_view uri);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_PEER_H_
