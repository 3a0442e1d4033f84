#include "tests/endurance/http_get.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cstdlib>

namespace penstock::testing {

server::UniqueFd ConnectTcp(const std::string& address, std::chrono::milliseconds limit,
                            const char* from) {
  sockaddr_in ours{};
  ours.sin_family = AF_INET;
  inet_pton(AF_INET, from, &ours.sin_addr);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  to.sin_port = htons(static_cast<uint16_t>(std::atoi(address.c_str() + address.rfind(':') + 1)));
  server::UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval time{.tv_sec = limit.count() / 1000, .tv_usec = limit.count() % 1000 * 1000};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
  bind(fd.get(), reinterpret_cast<const sockaddr*>(&ours), sizeof(ours));
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) fd.Reset();
  return fd;
}

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
