// Addresses to listen on.
#ifndef PENSTOCK_SERVER_CONFIG_ADDRESS_H_
#define PENSTOCK_SERVER_CONFIG_ADDRESS_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace penstock::server {

struct Address {
  // The path of a unix socket; empty for TCP.
  std::string path;
  // A name, or an IP address, of IPv6 without its brackets.
  std::string host;
  // With 0 a free port is chosen.
  int port = 0;

  bool is_unix() const { return !path.empty(); }
};

// Reads "host:port", "[ipv6]:port" or "unix:path". The error says what is wrong
// and what to write.
absl::StatusOr<Address> ParseAddress(std::string_view text);

// Tells whether only processes of this machine reach the address: a unix socket, 127.0.0.0/8, ::1
// or "localhost". Names are not looked up, because their meaning may change.
bool IsLoopback(const Address& address);

// Returns the same text for all ways to write one address, and an empty one for port 0, which is
// never the same address twice.
std::string AddressKey(const Address& address);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_ADDRESS_H_
