#include "server/rpc/base/call_settings.h"

#include <algorithm>
#include <string_view>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "server/auth/jwt.h"
#include "server/config/words.h"

namespace penstock::server {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

// Returns the value, which `access` or its principal owns; null if the caller has none.
const std::string* ValueOf(const IdentitySetting& setting, const Access& access) {
  if (setting.source == IdentitySetting::Source::kIdentity) return &access.principal->name();
  if (access.claims == nullptr) return nullptr;
  if (setting.source == IdentitySetting::Source::kClaims) return &access.claims->json;
  const auto claim = access.claims->by_name.find(setting.claim);
  return claim == access.claims->by_name.end() ? nullptr : &claim->second;
}

// An empty value instead would be one that the session may also have without the setting, and
// policies have been written that let everything through then.
absl::Status Missing(const IdentitySetting& setting, const Database& database,
                     const Access& access) {
  const bool no_token = access.claims == nullptr;
  return MakeErrorWithHint(
      Reason::kNotAllowed,
      fmt::format(
          "database '{}' takes the setting '{}' from {}, which the caller has not", database.name(),
          setting.name,
          no_token ? "a JSON Web Token" : fmt::format("the claim {}", Quoted(setting.claim))),
      no_token ? "call with such a token, or use a database without this setting"
               : "get a token with this claim, whose numbers have at most 64 bits");
}

absl::Status Refused(const std::string& name, const Database& database) {
  const auto& derived = database.settings().derived;
  const bool is_derived = std::any_of(derived.begin(), derived.end(),
                                      [&name](const auto& own) { return own.name == name; });
  if (is_derived) {
    return MakeErrorWithHint(
        Reason::kNotAllowed,
        fmt::format("the setting '{}' of database '{}' is derived from who calls, and a call "
                    "cannot carry it",
                    name, database.name()),
        "leave it out of `settings`");
  }
  return MakeErrorWithHint(
      Reason::kNotAllowed,
      fmt::format("a call cannot carry the setting {} to database '{}'", Quoted(name),
                  database.name()),
      "name it exactly so under call_settings of the database, in the daemon's configuration");
}

}  // namespace

const CallSettings::Carried& CallSettings::None() {
  static const auto* const none = new Carried();
  return *none;
}

absl::Status CallSettings::Assign(const Database& database, const Access& access,
                                  const Carried& carried) {
  values_.clear();
  absl::Status added = AddDerived(database, access);
  return added.ok() && !carried.empty() ? AddCarried(database, carried) : added;
}

absl::Status CallSettings::AddDerived(const Database& database, const Access& access) {
  for (const IdentitySetting& setting : database.settings().derived) {
    const std::string* const value = ValueOf(setting, access);
    if (value == nullptr) return Missing(setting, database, access);
    absl::Status added = Add(setting.name, *value);
    if (!added.ok()) return added;
  }
  return absl::OkStatus();
}

absl::Status CallSettings::AddCarried(const Database& database, const Carried& carried) {
  if (!database.info().capabilities.settings) {
    return MakeErrorWithHint(
        Reason::kUnsupported,
        fmt::format("the driver {} has no capability 'settings'", database.info().name),
        "leave `settings` out");
  }
  const std::vector<std::string>& allowed = database.settings().carried;
  size_t known = 0;
  for (const std::string& name : allowed) {
    const auto found = carried.find(name);
    if (found == carried.end()) continue;
    ++known;
    absl::Status added = Add(name, found->second);
    if (!added.ok()) return added;
  }
  if (known == carried.size()) return absl::OkStatus();
  // The first of the others, so that the error is the same each time.
  const std::string* refused = nullptr;
  for (const auto& [name, value] : carried) {
    const bool is_other = !std::binary_search(allowed.begin(), allowed.end(), name);
    if (is_other && (refused == nullptr || name < *refused)) refused = &name;
  }
  return Refused(*refused, database);
}

absl::Status CallSettings::Add(const std::string& name, const std::string& value) {
  if (value.size() > kMaxValueBytes) {
    return MakeErrorWithHint(Reason::kLimitExceeded,
                             fmt::format("the value of setting '{}' has {} bytes, more than {}",
                                         name, value.size(), kMaxValueBytes),
                             "keep large values in a table, and let the setting be their key");
  }
  if (value.find('\0') != std::string::npos) {
    return MakeErrorWithHint(
        Reason::kInvalidParameter,
        fmt::format("the value of setting '{}' contains a NUL character", name),
        "give it a value without one");
  }
  values_.push_back({.name = name, .value = value});
  return absl::OkStatus();
}

}  // namespace penstock::server
