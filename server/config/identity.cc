#include "server/config/identity.h"

#include <cstddef>

#include "absl/time/time.h"
#include "fmt/format.h"

namespace penstock::server {

const std::vector<std::string>& RightNames() {
  static const auto* const names =
      new std::vector<std::string>{"read", "write", "migrate", "admin"};
  return *names;
}

std::string_view RightName(Right right) { return RightNames()[static_cast<size_t>(right)]; }

std::optional<Right> ParseRight(std::string_view name) {
  for (const Right right : {Right::kRead, Right::kWrite, Right::kMigrate, Right::kAdmin}) {
    if (RightName(right) == name) return right;
  }
  return std::nullopt;
}

std::vector<std::string> IdentityNotes(const IdentityConfigs& identities,
                                       std::chrono::system_clock::time_point now) {
  std::vector<std::string> notes;
  for (const auto& [name, identity] : identities) {
    for (const TokenConfig& token : identity.tokens) {
      if (token.expires > now) continue;
      notes.push_back(fmt::format(
          "the token '{}' of the identity '{}' expired at {}; remove it, or put a new one there",
          token.id, name,
          absl::FormatTime(absl::RFC3339_full, absl::FromChrono(token.expires),
                           absl::UTCTimeZone())));
    }
  }
  return notes;
}

}  // namespace penstock::server
