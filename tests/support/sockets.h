// Bare sockets, for what no well-behaved client sends.
#ifndef PENSTOCK_TESTS_SUPPORT_SOCKETS_H_
#define PENSTOCK_TESTS_SUPPORT_SOCKETS_H_

#include <chrono>
#include <string>

#include "server/net/unique_fd.h"

namespace penstock::testing {

// A connection to "127.0.0.1:port" from an address of this machine, whose reads and writes give
// up after `limit`; none if it is refused.
server::UniqueFd ConnectTcp(const std::string& address,
                            std::chrono::milliseconds limit = std::chrono::seconds(10),
                            const char* from = "127.0.0.1");

// What comes until the other side ends.
std::string ReadAll(int fd);

// The whole answer; empty if there is none.
std::string HttpGet(const std::string& address, const std::string& path);

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_SOCKETS_H_
