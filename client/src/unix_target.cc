#include "client/src/unix_target.h"

#include <sys/un.h>

#include <cstddef>
#include <iterator>

#include "absl/strings/ascii.h"
#include "fmt/format.h"

namespace penstock::internal {
namespace {

constexpr std::string_view kUnix = "unix:";
// Of struct sockaddr_un, less the NUL at the end.
constexpr size_t kLongestPath = sizeof(sockaddr_un::sun_path) - 1;

bool IsPlain(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         std::string_view("/.-_~").find(c) != std::string_view::npos;
}

}  // namespace

absl::StatusOr<std::string> GrpcTarget(std::string_view target) {
  if (!target.starts_with(kUnix)) return std::string(target);
  std::string_view path = target.substr(kUnix.size());
  // The form of a URI with an empty authority.
  if (path.starts_with("///")) path.remove_prefix(2);
  if (path.empty()) {
    return absl::InvalidArgumentError("the target \"unix:\" has no path: write unix:/path");
  }
  if (path.size() > kLongestPath) {
    return absl::InvalidArgumentError(
        fmt::format("the target has a path of {} bytes, and a unix socket's has at most {}: {}",
                    path.size(), kLongestPath, target));
  }
  if (path.find(',') != std::string_view::npos) {
    return absl::InvalidArgumentError(
        fmt::format("the target's path has a comma, where gRPC cuts it in two: {}", target));
  }
  std::string uri(kUnix);
  for (const char c : path) {
    if (IsPlain(c)) {
      uri += c;
    } else {
      fmt::format_to(std::back_inserter(uri), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return uri;
}

}  // namespace penstock::internal
