#include "server/config/grant_section.h"

#include <optional>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/api/key_value.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "server/config/keys.h"
#include "server/config/required.h"
#include "server/config/words.h"

namespace penstock::server {
namespace {

constexpr char kEveryDatabase[] = "*";

std::vector<std::string> ReadDatabaseNames(YamlMap* map,
                                           const std::map<std::string, DatabaseConfig>& databases,
                                           Problems* problems) {
  std::vector<std::string> known;
  for (const auto& [name, config] : databases) known.push_back(name);
  std::vector<std::string> names;
  for (Setting& name :
       RequiredTexts(map, "database", "name one, a list of them, or '*' for every one", problems)) {
    if (name.value == kEveryDatabase || databases.contains(name.value)) {
      names.push_back(std::move(name.value));
    } else {
      problems->Add(name.where, fmt::format("{} is not a database of this file; {}",
                                            Quoted(name.value), Advice(name.value, known)));
    }
  }
  return names;
}

Rights ReadRights(YamlMap* map, Problems* problems) {
  const std::string advice = fmt::format("list some of {}", fmt::join(RightNames(), ", "));
  Rights rights;
  for (const Setting& name : RequiredTexts(map, "rights", advice, problems)) {
    if (const auto right = ParseRight(name.value)) {
      rights = rights.With(*right);
    } else {
      problems->Add(name.where, NotAChoice(name.value, RightNames()));
    }
  }
  return rights;
}

std::vector<std::string> ReadKeyspaces(YamlMap* map, Problems* problems) {
  std::vector<std::string> keyspaces;
  for (Setting& name : FullTexts(map, "keyspaces", problems)) {
    const absl::Status status = driver::CheckKeyspace(name.value);
    if (status.ok()) {
      keyspaces.push_back(std::move(name.value));
    } else {
      problems->Add(name.where, fmt::format("{} is not a keyspace's name; {}", Quoted(name.value),
                                            driver::GetErrorInfo(status).hint));
    }
  }
  return keyspaces;
}

// An empty prefix would look like a limit, and be none.
std::string ReadPrefix(YamlMap* map, Problems* problems) {
  std::optional<Setting> prefix = map->Text("key_prefix");
  if (!prefix) return {};
  if (prefix->value.empty()) problems->Add(prefix->where, "is empty; write one, or remove the key");
  return std::move(prefix->value);
}

// Migrations and statistics know no keys.
void CheckKeysOnly(const YamlMap& map, const GrantConfig& grant, Problems* problems) {
  if (!grant.only_keys()) return;
  for (const Right right : {Right::kMigrate, Right::kAdmin}) {
    if (!grant.rights.Has(right)) continue;
    problems->Add(map.WhereIs(grant.keyspaces.empty() ? "key_prefix" : "keyspaces"),
                  fmt::format("limits the grant to keys, and the right {0} is of the whole "
                              "database; move {0} to a grant without keyspaces and key_prefix",
                              RightName(right)));
  }
}

}  // namespace

std::vector<GrantConfig> ReadGrants(YamlMap* identity,
                                    const std::map<std::string, DatabaseConfig>& databases,
                                    Problems* problems) {
  std::vector<GrantConfig> grants;
  for (YamlMap& map : identity->MapList("grants")) {
    GrantConfig grant;
    ReadKeys(GrantKeys(), &map, &grant);
    const std::vector<std::string> names = ReadDatabaseNames(&map, databases, problems);
    grant.rights = ReadRights(&map, problems);
    grant.keyspaces = ReadKeyspaces(&map, problems);
    grant.key_prefix = ReadPrefix(&map, problems);
    CheckKeysOnly(map, grant, problems);
    map.Finish();
    for (const std::string& name : names) {
      grant.database = name;
      grants.push_back(grant);
    }
  }
  return grants;
}

}  // namespace penstock::server
