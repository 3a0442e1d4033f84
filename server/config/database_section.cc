#include "server/config/database_section.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "drivers/api/error.h"
#include "drivers/api/spec.h"
#include "fmt/format.h"
#include "server/config/credentials.h"
#include "server/config/keys.h"
#include "server/config/setting_section.h"
#include "server/config/words.h"

namespace penstock::server {
namespace {

namespace fs = std::filesystem;

// The keys of a server's place and of the daemon's account there.
const std::vector<std::string>& KeysOfServers() {
  static const auto* const keys = new std::vector<std::string>{
      "host",         "port",    "username", "password", "password_file", "password_credential",
      "password_env", "ssl_mode"};
  return *keys;
}

// Returns null for a wrong name; no further check depends on the driver then.
const driver::DriverSpec* ReadDriver(YamlMap* map) {
  std::string name = map->Has("driver") ? "" : driver::Drivers().front()->info.name;
  map->Choice("driver", driver::DriverNames(), &name);
  return driver::FindDriver(name);
}

// Returns the places of secrets that stand in clear.
std::vector<Where> ReadConnection(YamlMap* map, const DatabaseContext& context, bool embedded,
                                  driver::Config* config) {
  ReadKeys(ConnectionKeys(), map, config);
  std::vector<Where> in_clear = ReadSecrets(map, context.secrets, config);
  if (!map->Has("connection_string")) return in_clear;
  std::vector<std::string> others = KeysOfServers();
  others.push_back("database");
  for (const std::string& key : others) {
    if (!map->Has(key) || (embedded && key != "database")) continue;
    // The connection string is no place for a secret.
    if (key.starts_with("password")) continue;
    context.problems->Add(map->WhereIs(key),
                          "conflicts with connection_string; keep one of the two");
  }
  return in_clear;
}

void ReadEmbedded(const YamlMap& map, const DatabaseContext& context,
                  const driver::DriverSpec& spec, driver::Config* config) {
  for (const std::string& key : KeysOfServers()) {
    if (!map.Has(key)) continue;
    context.problems->Add(
        map.WhereIs(key),
        fmt::format("is not supported by {}; remove it, or choose another driver", spec.info.name));
  }
  if (map.Has("database") || map.Has("connection_string") || spec.suffix.empty()) return;
  config->database = fmt::format("{}/{}{}", context.data_dir, config->name, spec.suffix);
}

void ReadPool(YamlMap* map, PoolConfig* pool, Problems* problems) {
  constexpr int kNotSaid = -1;
  pool->max_idle = kNotSaid;
  ReadKeys(PoolKeys(), map, pool);
  if (pool->max_idle == kNotSaid) pool->max_idle = pool->max_open;
  const auto check = [&](const char* lower, int less, const char* upper, int more) {
    if (less <= more) return;
    problems->Add(map->WhereIs(lower),
                  fmt::format("{} exceeds {}, {}; lower it, or raise that", less, upper, more));
  };
  check("max_idle_connections", pool->max_idle, "max_open_connections", pool->max_open);
  check("min_idle_connections", pool->min_idle, "max_idle_connections", pool->max_idle);
}

void ReadSizes(YamlMap* map, const DatabaseContext& context, driver::Config* config) {
  config->max_value_bytes = std::min(config->max_value_bytes, context.max_message_bytes);
  ReadKeys(ValueKeys(), map, config);
  if (config->max_value_bytes > context.max_message_bytes) {
    context.problems->Add(map->WhereIs("max_value_bytes"),
                          "exceeds server.max_message_bytes; lower it, or raise that");
  }
}

bool IsIdentifier(std::string_view text) {
  return IsWord(text) && text.size() <= 63 && text.find('-') == std::string_view::npos &&
         !(text[0] >= '0' && text[0] <= '9');
}

void ReadMigrationsTable(YamlMap* map, std::string* table, Problems* problems) {
  const std::optional<Setting> setting = map->Text("migrations_table");
  if (!setting) return;
  if (IsIdentifier(setting->value)) {
    *table = setting->value;
  } else {
    problems->Add(setting->where, fmt::format("{} is not a valid table name; use at most 63 "
                                              "letters, digits and '_', and no digit first",
                                              Quoted(setting->value)));
  }
}

// Reads the options, and returns the place of each.
std::map<std::string, Where> ReadOptions(YamlMap map, driver::Config* config) {
  std::map<std::string, Where> places;
  for (const std::string& key : map.TakeKeys()) {
    auto setting = map.Text(key);
    if (!setting) continue;
    config->options[key] = std::move(setting->value);
    places.emplace(key, setting->where);
  }
  return places;
}

std::string Text(const absl::Status& status) {
  const std::string hint = driver::GetErrorInfo(status).hint;
  return std::string(status.message()) + (hint.empty() ? "" : "; " + hint);
}

// Runs the checks of the driver and the migrations. Tells all mistakes in options, and the driver's
// further mistakes once the options and the keys of the connection are right.
void CheckFurther(const YamlMap& map, const std::map<std::string, Where>& options,
                  const driver::DriverSpec& spec, bool right, const DatabaseConfig& config,
                  const DatabaseContext& context) {
  const auto check = [&](const absl::Status& status, const Where& where) {
    if (status.ok()) return;
    context.problems->Add(where, Text(status));
    right = false;
  };
  for (const auto& [name, value] : config.driver.options) {
    check(driver::CheckOption(spec.info.name, spec.options, name, value), options.at(name));
  }
  const std::string place = map.Has("connection_string") ? "connection_string" : "database";
  const Where where = spec.info.embedded ? map.WhereIs(place) : map.where();
  if (right) check(spec.check(config.driver), where);
  if (context.check) check(context.check(config), map.WhereIs("migrate_on_start"));
}

DatabaseConfig ReadDatabase(YamlMap map, const std::string& name, const DatabaseContext& context) {
  DatabaseConfig config;
  config.line = map.where().line;
  config.driver.name = name;
  const size_t problems = context.problems->size();
  const driver::DriverSpec* const spec = ReadDriver(&map);
  const std::vector<Where> in_clear =
      ReadConnection(&map, context, spec != nullptr && spec->info.embedded, &config.driver);
  if (spec != nullptr) {
    config.driver.driver = spec->info.name;
    config.pool.max_open = spec->pool.max_open;
    config.pool.max_lifetime = spec->pool.max_lifetime;
    if (spec->info.embedded) ReadEmbedded(map, context, *spec, &config.driver);
  }
  const bool connection_right = context.problems->size() == problems;
  ReadPool(&map, &config.pool, context.problems);
  ReadKeys(LimitKeys(), &map, &config.limits);
  config.driver.query_timeout = config.limits.query_timeout;
  config.settings = ReadSettings(&map, spec,
                                 {.has_identities = context.has_identities,
                                  .has_jwt = context.has_jwt,
                                  .problems = context.problems});
  ReadSizes(&map, context, &config.driver);
  ReadKeys(MigrationKeys(), &map, &config);
  ReadMigrationsTable(&map, &config.migrations_table, context.problems);
  const auto options = ReadOptions(map.Map("options"), &config.driver);
  map.Finish();
  TellInClear(in_clear, context.secrets);
  if (spec != nullptr) CheckFurther(map, options, *spec, connection_right, config, context);
  return config;
}

// Two databases that open one file would each be its only writer.
void CheckSameFile(const std::map<std::string, DatabaseConfig>& databases,
                   const std::map<std::string, Where>& places, Problems* problems) {
  std::map<std::string, std::string> names;
  for (const auto& [name, config] : databases) {
    const driver::DriverSpec* const spec = driver::FindDriver(config.driver.driver);
    if (spec == nullptr || spec->path == nullptr) continue;
    const std::string path = spec->path(config.driver);
    if (path.empty()) continue;
    std::error_code ignored;
    const fs::path absolute = fs::weakly_canonical(fs::absolute(path, ignored), ignored);
    const auto [other, is_new] = names.try_emplace(absolute.lexically_normal().string(), name);
    if (is_new) continue;
    problems->Add(places.at(name),
                  fmt::format("opens the same file as '{}'; give each its own, or use one database "
                              "for both",
                              other->second));
  }
}

}  // namespace

std::map<std::string, DatabaseConfig> ReadDatabases(YamlMap map, const DatabaseContext& context) {
  std::map<std::string, DatabaseConfig> databases;
  std::map<std::string, Where> places;
  for (const std::string& name : map.TakeKeys()) {
    const Where where = map.WhereIs(name);
    if (!IsWord(name) || name.size() > 64) {
      context.problems->Add(
          where, "is not a valid database name; use at most 64 letters, digits, '_' and '-'");
      continue;
    }
    databases.emplace(name, ReadDatabase(map.Map(name), name, context));
    places.emplace(name, where);
  }
  CheckSameFile(databases, places, context.problems);
  if (databases.empty()) {
    databases.emplace("main", ReadDatabase(map.Map("main"), "main", context));
  }
  return databases;
}

std::string ChooseDefault(const std::optional<Setting>& said, const Where& where,
                          const std::map<std::string, DatabaseConfig>& databases,
                          Problems* problems) {
  std::vector<std::string> names;
  for (const auto& [name, config] : databases) names.push_back(name);
  if (said) {
    if (databases.contains(said->value)) return said->value;
    problems->Add(said->where, fmt::format("unknown database {}; {}", Quoted(said->value),
                                           Advice(said->value, names)));
    return {};
  }
  if (names.size() == 1) return names.front();
  if (databases.contains("main")) return "main";
  problems->Add(where, fmt::format("has several databases and none named main; set "
                                   "default_database to one of {}",
                                   fmt::join(names, ", ")));
  return {};
}

}  // namespace penstock::server
