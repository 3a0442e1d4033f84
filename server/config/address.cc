#include "server/config/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "absl/strings/ascii.h"
#include "fmt/format.h"
#include "server/config/words.h"

namespace penstock::server {
namespace {

constexpr std::string_view kUnix = "unix:";
// The longest path in a struct sockaddr_un, without the NUL at the end.
constexpr size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;

absl::Status Wrong(std::string_view text, std::string_view what) {
  return absl::InvalidArgumentError(fmt::format("{} {}", Quoted(text), what));
}

absl::StatusOr<Address> ParseUnix(std::string_view text) {
  std::string_view path = text.substr(kUnix.size());
  // Writes a path in gRPC's form of a URI, whose path is absolute.
  if (path.starts_with("//")) path.remove_prefix(2);
  if (path.empty() || (text.starts_with("unix://") && path.front() != '/')) {
    return Wrong(text, "has no path; write unix:/path/of/the.sock");
  }
  if (path.size() > kLongestPath) {
    return Wrong(
        text, fmt::format(
                  "has a path of {} bytes, but a socket's path has at most {}; use a shorter path",
                  path.size(), kLongestPath));
  }
  // The clients of gRPC, ours among them, would take such a path for two addresses.
  if (path.find(',') != std::string_view::npos) {
    return Wrong(text,
                 "has a comma, which gRPC's clients do not support in a socket's path; rename it");
  }
  if (path.back() == '/') return Wrong(text, "is a folder; write unix:/path/of/the.sock");
  if (HasControlCharacter(path)) return Wrong(text, "has a control character; remove it");
  return Address{.path = std::string(path)};
}

std::optional<int> ParsePort(std::string_view text) {
  int port = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, port);
  if (error != std::errc() || end != last || port < 0 || port > 65535) return std::nullopt;
  return port;
}

bool IsIpv6(const std::string& host) {
  in6_addr parsed;
  return inet_pton(AF_INET6, host.c_str(), &parsed) == 1;
}

bool IsHostName(std::string_view host) {
  return std::all_of(host.begin(), host.end(),
                     [](char c) { return c == '.' || IsWord(std::string_view(&c, 1)); });
}

// Writes a host in lower case, IPv6 in its one short form, and "localhost" as the address that it
// is.
std::string CanonicalHost(std::string host) {
  in6_addr v6;
  if (inet_pton(AF_INET6, host.c_str(), &v6) == 1) {
    char text[INET6_ADDRSTRLEN];
    return inet_ntop(AF_INET6, &v6, text, sizeof(text));
  }
  absl::AsciiStrToLower(&host);
  return host == "localhost" ? "127.0.0.1" : host;
}

}  // namespace

absl::StatusOr<Address> ParseAddress(std::string_view text) {
  if (text.starts_with(kUnix)) return ParseUnix(text);
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return Wrong(text, "has no port; write host:port or unix:/path");
  }
  std::string host(text.substr(0, colon));
  const std::optional<int> port = ParsePort(text.substr(colon + 1));
  if (!port)
    return Wrong(text, "has no port from 0 to 65535 after its last colon; write host:port");
  if (host.empty() || host == "*") {
    return Wrong(text, fmt::format("names no host; write 127.0.0.1:{}, or 0.0.0.0:{} for every "
                                   "interface",
                                   *port, *port));
  }
  if (host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (!IsIpv6(host)) return Wrong(text, "has no IPv6 address in its brackets; write [::1]:port");
  } else if (host.find(':') != std::string::npos) {
    return Wrong(text, "is not host:port; an IPv6 address stands in brackets, as in [::1]:7420");
  } else if (!IsHostName(host)) {
    return Wrong(text, "is not host:port; a host has letters, digits, '.' and '-'");
  }
  return Address{.host = std::move(host), .port = *port};
}

bool IsLoopback(const Address& address) {
  if (address.is_unix()) return true;
  const std::string host = CanonicalHost(address.host);
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6;
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string AddressKey(const Address& address) {
  if (address.is_unix()) {
    std::error_code ignored;
    const auto absolute = std::filesystem::absolute(address.path, ignored);
    return fmt::format("unix:{}", absolute.lexically_normal().string());
  }
  if (address.port == 0) return {};
  return fmt::format("{}:{}", CanonicalHost(address.host), address.port);
}

}  // namespace penstock::server
