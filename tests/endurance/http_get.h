// A GET that does not wait for long.
#ifndef PENSTOCK_TESTS_ENDURANCE_HTTP_GET_H_
#define PENSTOCK_TESTS_ENDURANCE_HTTP_GET_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/sockets.h"

namespace penstock::testing {

// So many, or those before the first that is refused or takes longer than half a second.
std::vector<server::UniqueFd> ConnectOften(const std::string& address, int64_t count);

struct HttpAnswer {
  // 0: there was no answer in time, or none that is whole.
  int code = 0;
  std::string body = {};
};

// The answer of "127.0.0.1:port" to a GET of `path`, if each part of it comes in time. It is
// asked for from 127.0.0.2, since connections are limited by peer.
HttpAnswer HttpGetWithin(std::chrono::milliseconds limit, const std::string& address,
                         const std::string& path);

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_ENDURANCE_HTTP_GET_H_
