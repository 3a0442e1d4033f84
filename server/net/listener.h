// Sockets that listen.
#ifndef PENSTOCK_SERVER_NET_LISTENER_H_
#define PENSTOCK_SERVER_NET_LISTENER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/net/unique_fd.h"

namespace penstock::server {

// Listens on every address of `host` (a name, or an IP address without brackets), on the same port.
// Port 0 takes a free one, which LocalPort tells. A family of addresses that this machine lacks is
// left out as long as another is there. Fails with UNAVAILABLE and the system's reason alone, as in
// "Address already in use".
absl::StatusOr<std::vector<UniqueFd>> ListenTcp(const std::string& host, int port);

// Listens on a unix socket; nothing is at the path, which has at most 107 bytes. Fails with
// UNAVAILABLE and the system's reason alone.
absl::StatusOr<UniqueFd> ListenUnix(const std::string& path);

// Returns the port of a TCP socket.
int LocalPort(int fd);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_NET_LISTENER_H_
