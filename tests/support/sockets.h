// Plain sockets, for tests that send what no well-behaved client sends.
#ifndef PENSTOCK_TESTS_SUPPORT_SOCKETS_H_
#define PENSTOCK_TESTS_SUPPORT_SOCKETS_H_

#include <chrono>
#include <string>

#include "server/net/unique_fd.h"

namespace penstock::testing {

// Connects to "127.0.0.1:port" from the local address `from`. Reads and writes time out after
// `limit`. The result is empty if the connection is refused.
server::UniqueFd ConnectTcp(const std::string& address,
                            std::chrono::milliseconds limit = std::chrono::seconds(10),
                            const char* from = "127.0.0.1");

// Reads until the peer closes the connection.
std::string ReadAll(int fd);

// Returns the whole response; empty if there is none.
std::string HttpGet(const std::string& address, const std::string& path);

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_SOCKETS_H_
