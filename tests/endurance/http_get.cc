#include "tests/endurance/http_get.h"

#include <sys/socket.h>

#include <cstdlib>

namespace penstock::testing {

std::vector<server::UniqueFd> ConnectOften(const std::string& address, int64_t count) {
  std::vector<server::UniqueFd> all;
  while (static_cast<int64_t>(all.size()) < count) {
    all.push_back(ConnectTcp(address, std::chrono::milliseconds(500)));
    if (!all.back()) break;
  }
  return all;
}

HttpAnswer HttpGetWithin(std::chrono::milliseconds limit, const std::string& address,
                         const std::string& path) {
  const server::UniqueFd fd = ConnectTcp(address, limit, "127.0.0.2");
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  if (!fd || send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return {};
  std::string all;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = recv(fd.get(), buffer, sizeof(buffer), 0)) > 0) {
    all.append(buffer, static_cast<size_t>(count));
  }
  const size_t head = all.find("\r\n\r\n");
  if (count < 0 || head == std::string::npos || !all.starts_with("HTTP/1.1 ")) return {};
  return {.code = std::atoi(all.c_str() + 9), .body = all.substr(head + 4)};
}

}  // namespace penstock::testing
