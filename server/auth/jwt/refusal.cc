#include "server/auth/jwt/refusal.h"

#include <cstddef>

#include "absl/strings/escaping.h"
#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::server::jwt {

absl::Status Refused(std::string_view what, std::string_view hint) {
  return driver::MakeErrorWithHint(driver::Reason::kUnauthenticated, what, hint);
}

std::string Shown(std::string_view text) {
  constexpr size_t kLongest = 64;
  const std::string_view start = text.substr(0, kLongest);
  return fmt::format("'{}{}'", absl::CHexEscape(absl::string_view(start.data(), start.size())),
                     text.size() > kLongest ? "..." : "");
}

}  // namespace penstock::server::jwt
