#include "client/src/target.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "client/src/format.h"

namespace penstock::internal {
namespace {

constexpr std::string_view kUnix = "unix:";
constexpr size_t kMaxPath = sizeof(sockaddr_un::sun_path) - 1;

// Percent-encodes a path for a URI.
std::string Encoded(std::string_view path) {
  std::string encoded;
  for (const char c : path) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 ||
        std::string_view("/.-_~").find(c) != std::string_view::npos) {
      encoded += c;
    } else {
      encoded += absl::StrFormat("%%%02X", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

absl::StatusOr<std::string> UnixTarget(std::string_view path) {
  if (path.starts_with("///")) path.remove_prefix(2);  // "unix:///path"
  if (path.empty()) return absl::InvalidArgumentError("Config.target has no path after unix:");
  if (path.size() > kMaxPath) {
    return absl::InvalidArgumentError(internal::Format(
        "Config.target: the path of a unix socket is limited to {} bytes, not {}: {}", kMaxPath,
        path.size(), path));
  }
  if (path.find(',') != std::string_view::npos) {
    return absl::InvalidArgumentError(internal::Format(
        "Config.target: gRPC cuts the path of a unix socket at its comma: {}", path));
  }
  if (path.find('\0') != std::string_view::npos) {
    return absl::InvalidArgumentError("Config.target contains a NUL byte in the path of a socket");
  }
  return internal::Format("{}{}", kUnix, Encoded(path));
}

bool IsPort(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port <= 65535;
}

// Returns true for "host:port" and "[address]:port".
bool IsHostAndPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || !IsPort(text.substr(colon + 1))) {
    return false;
  }
  const std::string_view host = text.substr(0, colon);
  if (host.front() == '[') return host.size() > 2 && host.back() == ']';
  // An IPv6 address needs brackets, because its last part is not a port.
  return std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return std::isgraph(c) != 0 &&
           std::string_view(":/?#[]@%").find(static_cast<char>(c)) == std::string_view::npos;
  });
}

// Returns true for localhost, 127.0.0.0/8 and ::1.
bool IsLoopback(const std::string& host) {
  if (host == "localhost") return true;
  in_addr v4;
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24 == 127;
  in6_addr v6;
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace

absl::StatusOr<std::string> LinkTarget(std::string_view target) {
  if (target.starts_with(kUnix)) return UnixTarget(target.substr(kUnix.size()));
  std::string_view address = target;
  std::string_view scheme = "dns";
  for (const std::string_view known : {"dns", "ipv4", "ipv6"}) {
    if (!target.starts_with(internal::Format("{}:", known))) continue;
    scheme = known;
    address.remove_prefix(known.size() + 1);
    while (address.starts_with('/')) address.remove_prefix(1);
  }
  if (!IsHostAndPort(address)) {
    return absl::InvalidArgumentError(internal::Format(
        "Config.target is \"{}\"; use host:port (the port is 7420 unless the daemon is configured "
        "otherwise), [address]:port or unix:/path",
        target));
  }
  return internal::Format("{}:///{}", scheme, address);
}

bool IsLocalTarget(std::string_view target) {
  const absl::StatusOr<std::string> link = LinkTarget(target);
  if (!link.ok()) return false;
  if (link->starts_with(kUnix)) return true;
  // What is left has the form scheme:///host:port.
  std::string_view host = *link;
  host.remove_prefix(host.find_last_of('/') + 1);
  host.remove_suffix(host.size() - host.rfind(':'));
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return IsLoopback(std::string(host));
}

}  // namespace penstock::internal
