#include <algorithm>
#include <limits>
#include <utility>

#include "drivers/api/spec.h"
#include "server/config/identity_limits.h"
#include "server/config/keys.h"

namespace penstock::server {
namespace {

constexpr std::string_view kDatabases = "databases.";

KeyText DescribeOption(const driver::Option& option) {
  KeyText text{.name = std::string(option.name),
               .value = std::string(option.fallback),
               .has_default = !option.fallback.empty(),
               .fallback = option.fallback.empty() ? std::string(option.otherwise)
                                                   : fmt::format("`{}`", option.fallback),
               .help = std::string(option.help)};
  if (option.type == driver::Option::Type::kNumber) {
    // Larger bounds are those of the type, and tell nothing.
    constexpr int64_t kTelling = std::numeric_limits<int>::max();
    text.help += option.max < kTelling ? fmt::format("; {} to {}", option.min, option.max)
                                       : fmt::format("; from {}", option.min);
  }
  return text;
}

bool SameOptions(const KeySection& section, const std::vector<KeyText>& keys) {
  return std::equal(section.keys.begin(), section.keys.end(), keys.begin(), keys.end(),
                    [](const KeyText& a, const KeyText& b) {
                      return a.name == b.name && a.fallback == b.fallback && a.help == b.help;
                    });
}

std::vector<KeySection> OptionSections() {
  std::vector<KeySection> sections;
  for (const driver::DriverSpec* spec : driver::Drivers()) {
    std::vector<KeyText> keys;
    for (const driver::Option& option : spec->options) keys.push_back(DescribeOption(option));
    const auto same = std::find_if(sections.begin(), sections.end(),
                                   [&](const auto& section) { return SameOptions(section, keys); });
    if (same == sections.end()) {
      sections.push_back({.heading = "Options of " + spec->info.name,
                          .path = "databases.*.options",
                          .drivers = {spec->info.name},
                          .keys = std::move(keys)});
    } else {
      same->heading += " and " + spec->info.name;
      same->drivers.push_back(spec->info.name);
    }
  }
  return sections;
}

template <typename Section>
void Append(const Keys<Section>& keys, std::vector<KeyText>* texts) {
  for (KeyText& text : Describe(keys)) texts->push_back(std::move(text));
}

std::vector<KeyText> DatabaseKeys() {
  std::vector<KeyText> texts;
  Append(ConnectionKeys(), &texts);
  Append(PoolKeys(), &texts);
  Append(LimitKeys(), &texts);
  Append(SettingKeys(), &texts);
  Append(ValueKeys(), &texts);
  Append(MigrationKeys(), &texts);
  return texts;
}

std::vector<KeySection> IdentitySections() {
  return {{.heading = "An identity",
           .path = "identities.*",
           .drivers = {},
           .keys = Describe(IdentityKeys())},
          {.heading = "A token",
           .path = "identities.*.tokens",
           .drivers = {},
           .keys = Describe(TokenKeys())},
          {.heading = "A grant",
           .path = "identities.*.grants",
           .drivers = {},
           .keys = Describe(GrantKeys())},
          {.heading = "Limits of an identity",
           .path = "identities.*.limits",
           .drivers = {},
           .keys = Describe(IdentityLimitKeys())},
          {.heading = "jwt", .path = "jwt", .drivers = {}, .keys = Describe(JwtKeys())}};
}

}  // namespace

std::vector<KeySection> KeySections() {
  std::vector<KeySection> sections = {
      {.heading = "The file", .path = "", .drivers = {}, .keys = Describe(FileKeys())},
      {.heading = "server", .path = "server", .drivers = {}, .keys = Describe(ServerKeys())},
      {.heading = "server.tls", .path = "server.tls", .drivers = {}, .keys = Describe(TlsKeys())},
      {.heading = "log", .path = "log", .drivers = {}, .keys = Describe(LogKeys())},
      {.heading = "A database", .path = "databases.*", .drivers = {}, .keys = DatabaseKeys()}};
  for (KeySection& options : OptionSections()) sections.push_back(std::move(options));
  for (KeySection& section : IdentitySections()) sections.push_back(std::move(section));
  return sections;
}

bool ReloadsKey(std::string_view path) {
  // A key of the file itself brings along all that is below it.
  const std::string_view top = path.substr(0, path.find_first_of(".["));
  const Keys<Config>& file = FileKeys();
  if (std::any_of(file.begin(), file.end(),
                  [top](const auto& key) { return key.reloads && key.name == top; })) {
    return true;
  }
  const size_t dot = path.rfind('.');
  std::string_view name = dot == std::string_view::npos ? path : path.substr(dot + 1);
  name = name.substr(0, name.find('['));  // of a list's element
  std::string parent(dot == std::string_view::npos ? "" : path.substr(0, dot));
  if (parent.starts_with(kDatabases) && parent.find('.', kDatabases.size()) == std::string::npos) {
    parent = "databases.*";
  }
  for (const KeySection& section : KeySections()) {
    if (section.path != parent) continue;
    for (const KeyText& key : section.keys) {
      if (key.name == name && key.reloads) return true;
    }
  }
  return false;
}

}  // namespace penstock::server
