#include "tests/support/sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace penstock::testing {

using server::UniqueFd;

UniqueFd ConnectTcp(const std::string& address, std::chrono::milliseconds limit, const char* from) {
  sockaddr_in ours{};
  ours.sin_family = AF_INET;
  inet_pton(AF_INET, from, &ours.sin_addr);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(address.rfind(':') + 1))));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  UniqueFd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval time{.tv_sec = limit.count() / 1000, .tv_usec = limit.count() % 1000 * 1000};
  setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time));
  bind(fd.get(), reinterpret_cast<const sockaddr*>(&ours), sizeof(ours));
  if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) fd.Reset();
  return fd;
}

std::string ReadAll(int fd) {
  std::string all;
  char buffer[4096];
  for (ssize_t count; (count = read(fd, buffer, sizeof(buffer))) > 0;) {
    all.append(buffer, static_cast<size_t>(count));
  }
  return all;
}

std::string HttpGet(const std::string& address, const std::string& path) {
  const UniqueFd fd = ConnectTcp(address);
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  if (!fd || send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) return "";
  return ReadAll(fd.get());
}

}  // namespace penstock::testing
