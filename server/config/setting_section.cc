// Which names are allowed is decided by their form, and not by a list of those that are not: a
// setting of PostgreSQL's own (role, session_authorization, search_path, transaction_read_only, and
// whatever a later version brings) has no point in its name.
#include "server/config/setting_section.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "server/config/keys.h"
#include "server/config/required.h"
#include "server/config/words.h"

namespace penstock::server {
namespace {

constexpr size_t kLongestName = 63;
constexpr size_t kMost = 64;

constexpr char kCallSettings[] = "call_settings";
constexpr char kIdentitySettings[] = "identity_settings";

bool IsPart(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return !text.empty() && is_letter(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); });
}

// See driver::Setting.
bool IsSettingName(std::string_view name) {
  if (name.size() > kLongestName || name.find('.') == std::string_view::npos) return false;
  for (;;) {
    const size_t point = name.find('.');
    if (!IsPart(name.substr(0, point))) return false;
    if (point == std::string_view::npos) return true;
    name.remove_prefix(point + 1);
  }
}

// Reads the settings of one database.
class SettingReader {
 public:
  SettingReader(YamlMap* database, const driver::DriverSpec* spec, const SettingContext& context)
      : database_(database), spec_(spec), context_(context), problems_(context.problems) {}

  SettingsConfig Read();

 private:
  // Returns whether the database may have the settings of the key.
  bool CheckDriver(const std::string& key);
  // Returns whether the name may be one more setting.
  bool CheckName(const std::string& name, const Where& where);
  void ReadDerived(YamlMap map);
  std::optional<IdentitySetting> ReadSource(const std::string& name, const Setting& source);

  YamlMap* const database_;
  const driver::DriverSpec* const spec_;
  const SettingContext& context_;
  Problems* const problems_;
  SettingsConfig settings_;
  // The line of each name.
  std::map<std::string, int> lines_;
};

SettingsConfig SettingReader::Read() {
  ReadKeys(SettingKeys(), database_, &settings_);
  const std::vector<Setting> carried = FullTexts(database_, kCallSettings, problems_);
  if (CheckDriver(kCallSettings)) {
    for (const Setting& setting : carried) {
      if (CheckName(setting.value, setting.where)) settings_.carried.push_back(setting.value);
    }
  }
  std::sort(settings_.carried.begin(), settings_.carried.end());
  YamlMap derived = database_->Map(kIdentitySettings);
  if (CheckDriver(kIdentitySettings)) ReadDerived(std::move(derived));
  return std::move(settings_);
}

bool SettingReader::CheckDriver(const std::string& key) {
  if (!database_->Has(key) || spec_ == nullptr || spec_->info.capabilities.settings) return true;
  problems_->Add(
      database_->WhereIs(key),
      fmt::format("is not supported by {}; remove it, or choose another driver", spec_->info.name));
  return false;
}

bool SettingReader::CheckName(const std::string& name, const Where& where) {
  if (!IsSettingName(name)) {
    problems_->Add(where,
                   fmt::format("{} is not a setting that a call may have; write two or more words "
                               "joined by '.', as in app.user, of small letters, digits and '_', "
                               "at most {}: the server's own settings stay its own",
                               Quoted(name), kLongestName));
    return false;
  }
  const auto [known, is_new] = lines_.emplace(name, where.line);
  if (!is_new) {
    problems_->Add(where, fmt::format("{} is there already, in line {}; keep it at one place",
                                      Quoted(name), known->second));
    return false;
  }
  if (lines_.size() == kMost + 1) {
    problems_->Add(where,
                   fmt::format("{} is one setting too many; keep at most {}", Quoted(name), kMost));
  }
  return lines_.size() <= kMost;
}

void SettingReader::ReadDerived(YamlMap map) {
  for (const std::string& name : map.TakeKeys()) {
    const std::optional<Setting> source = map.Text(name);
    if (!CheckName(name, map.WhereIs(name)) || !source) continue;
    if (std::optional<IdentitySetting> setting = ReadSource(name, *source)) {
      settings_.derived.push_back(*std::move(setting));
    }
  }
  if (database_->Has(kIdentitySettings) && !context_.has_identities) {
    problems_->Add(database_->WhereIs(kIdentitySettings),
                   "has no meaning without identities; say there who may call, or remove the key");
  }
}

std::optional<IdentitySetting> SettingReader::ReadSource(const std::string& name,
                                                         const Setting& source) {
  using Source = IdentitySetting::Source;
  constexpr std::string_view kClaim = "claim:";
  if (source.value == "identity") return IdentitySetting{.name = name, .claim = {}};
  const bool is_claim = source.value.starts_with(kClaim) && source.value.size() > kClaim.size();
  if (!is_claim && source.value != "claims") {
    problems_->Add(source.where,
                   fmt::format("{} is not where a setting can come from; write identity, "
                               "claim:NAME or claims",
                               Quoted(source.value)));
    return std::nullopt;
  }
  if (!context_.has_jwt) {
    problems_->Add(source.where,
                   "has no meaning without jwt; say there how JSON Web Tokens are verified, or "
                   "write identity");
  }
  if (!is_claim) return IdentitySetting{.name = name, .source = Source::kClaims, .claim = {}};
  return IdentitySetting{
      .name = name, .source = Source::kClaim, .claim = source.value.substr(kClaim.size())};
}

}  // namespace

SettingsConfig ReadSettings(YamlMap* database, const driver::DriverSpec* spec,
                            const SettingContext& context) {
  return SettingReader(database, spec, context).Read();
}

}  // namespace penstock::server
