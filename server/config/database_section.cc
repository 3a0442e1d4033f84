#include "server/config/database_section.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "server/config/credentials.h"
#include "server/config/file.h"
#include "server/config/words.h"

namespace penstock::server {
namespace {

using std::chrono::hours;
namespace fs = std::filesystem;

constexpr size_t kKiB = size_t{1} << 10;
constexpr size_t kGiB = size_t{1} << 30;
constexpr Milliseconds kNone{0};
constexpr Milliseconds kYear = hours(365 * 24);
constexpr char kSqlite[] = "sqlite";
constexpr char kPostgres[] = "postgres";
constexpr char kPebble[] = "pebble";
constexpr char kCockroachDb[] = "cockroachdb";
// Its documents' advice: so that connections find their way to nodes that are new.
constexpr Milliseconds kCockroachDbLifetime = std::chrono::minutes(5);
constexpr char kInMemory[] = ":memory:";

// Of an embedded database whose connections cost next to nothing: half of them read, the others
// write or are in transactions.
constexpr int kPebbleConnections = 32;

// Keys that say where a server is and who we are there.
const std::vector<std::string>& ServerKeys() {
  static const auto* const keys = new std::vector<std::string>{
      "host", "port", "username", "password", "password_file", "password_env", "ssl_mode"};
  return *keys;
}

std::string TextOr(YamlMap* map, const std::string& key, std::string otherwise) {
  std::optional<Setting> setting = map->Text(key);
  return setting ? std::move(setting->value) : std::move(otherwise);
}

void ReadDriver(YamlMap* map, driver::Config* config) {
  // A wrong name stays empty: nothing then depends on which driver it is.
  config->driver = map->Has("driver") ? "" : kSqlite;
  map->Choice("driver", {kSqlite, kPostgres, kCockroachDb, kPebble, "rocksdb"}, &config->driver);
  if (config->driver == "rocksdb") config->driver = kPebble;
}

void ReadConnection(YamlMap* map, const DatabaseContext& context, driver::Config* config) {
  config->connection_string = TextOr(map, "connection_string", "");
  config->host = TextOr(map, "host", "");
  map->Int("port", 1, 65535, &config->port);
  config->username = TextOr(map, "username", "");
  config->password.Set(ReadPassword(map, context.environment, context.problems));
  config->database = TextOr(map, "database", "");
  map->Choice("ssl_mode", {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"},
              &config->ssl_mode);
  if (!map->Has("connection_string")) return;
  std::vector<std::string> others = ServerKeys();
  others.push_back("database");
  for (const std::string& key : others) {
    if (!map->Has(key) || (config->driver == kSqlite && key != "database")) continue;
    // The place for a secret is not the connection string.
    if (key.starts_with("password")) continue;
    context.problems->Add(map->WhereIs(key), "contradicts connection_string; keep one of the two");
  }
}

// The file's path: of a file: URI without what follows it.
std::string SqlitePath(const driver::Config& config) {
  std::string path = config.database.empty() ? config.connection_string : config.database;
  if (!path.starts_with("file:")) return path;
  path = path.substr(5, path.find_first_of("?#") - 5);
  return path.starts_with("///") ? path.substr(2) : path;
}

void CheckSqliteFile(const YamlMap& map, const driver::Config& config,
                     const DatabaseContext& context) {
  const std::string path = SqlitePath(config);
  const std::string key = map.Has("connection_string") ? "connection_string" : "database";
  std::error_code ignored;
  if (path.empty()) {
    context.problems->Add(map.WhereIs(key),
                          "names no file; write a path, or remove the key for the default file");
  } else if (path.find("://") != std::string::npos) {
    context.problems->Add(map.WhereIs(key), "is a URL; on sqlite write the path of a file");
  } else if (fs::is_directory(path, ignored)) {
    context.problems->Add(map.WhereIs(key), "is a folder; write the path of a file in it");
  }
}

void ReadSqlite(const YamlMap& map, const DatabaseContext& context, driver::Config* config) {
  for (const std::string& key : ServerKeys()) {
    if (!map.Has(key)) continue;
    context.problems->Add(map.WhereIs(key),
                          "has no meaning on sqlite; remove it, or choose another driver");
  }
  if (map.Has("database") || map.Has("connection_string")) {
    CheckSqliteFile(map, *config, context);
  } else {
    config->database = fmt::format("{}/{}.db", context.data_dir, config->name);
  }
}

void ReadPebble(const YamlMap& map, const DatabaseContext& context, driver::Config* config) {
  for (const std::string& key : ServerKeys()) {
    if (!map.Has(key)) continue;
    context.problems->Add(map.WhereIs(key),
                          "has no meaning on pebble; remove it, or choose another driver");
  }
  if (map.Has("database") || map.Has("connection_string")) return;
  config->database = fmt::format("{}/{}.pebble", context.data_dir, config->name);
}

void ReadPool(YamlMap* map, PoolConfig* pool, Problems* problems) {
  map->Int("max_open_connections", 1, 10'000, &pool->max_open);
  pool->max_idle = pool->max_open;
  map->Int("max_idle_connections", 0, 10'000, &pool->max_idle);
  if (pool->max_idle > pool->max_open) {
    problems->Add(map->WhereIs("max_idle_connections"),
                  fmt::format("{} is more than max_open_connections, {}; lower it, or raise that",
                              pool->max_idle, pool->max_open));
  }
  map->Int("min_idle_connections", 0, 10'000, &pool->min_idle);
  if (pool->min_idle > pool->max_idle) {
    problems->Add(map->WhereIs("min_idle_connections"),
                  fmt::format("{} is more than max_idle_connections, {}; lower it, or raise that",
                              pool->min_idle, pool->max_idle));
  }
  map->Duration("connection_max_lifetime", kNone, kYear, &pool->max_lifetime);
  map->Duration("connection_max_idle_time", kNone, kYear, &pool->max_idle_time);
  map->Int("max_waiters", 0, 1'000'000, &pool->max_waiters);
  map->Duration("acquire_timeout", kNone, hours(24), &pool->acquire_timeout);
  map->Duration("connect_timeout", Milliseconds(1), hours(1), &pool->connect_timeout);
}

void ReadLimits(YamlMap* map, DatabaseLimits* limits) {
  map->Duration("query_timeout", kNone, kYear, &limits->query_timeout);
  map->Duration("transaction_idle_timeout", kNone, kYear, &limits->transaction_idle_timeout);
  map->Duration("transaction_timeout", kNone, kYear, &limits->transaction_timeout);
  map->Size("max_returning_bytes", kKiB, kGiB, &limits->max_returning_bytes);
  map->Int("max_transaction_statements", 1, 100'000, &limits->max_transaction_statements);
}

void ReadSizes(YamlMap* map, const DatabaseContext& context, driver::Config* config) {
  int cache_size = static_cast<int>(config->statement_cache_size);
  map->Int("statement_cache_size", 1, 100'000, &cache_size);
  config->statement_cache_size = cache_size;
  config->max_value_bytes = std::min(config->max_value_bytes, context.max_message_bytes);
  map->Size("max_value_bytes", kKiB, kGiB, &config->max_value_bytes);
  if (config->max_value_bytes > context.max_message_bytes) {
    context.problems->Add(map->WhereIs("max_value_bytes"),
                          "is more than server.max_message_bytes; lower it, or raise that");
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
    problems->Add(setting->where,
                  fmt::format("{} is not a table's name; write letters, digits and '_', at most 63 "
                              "and no digit first",
                              Quoted(setting->value)));
  }
}

// Where each option is.
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

void CheckFurther(const YamlMap& map, const std::map<std::string, Where>& options,
                  const DatabaseConfig& config, const DatabaseContext& context) {
  if (!context.check || config.driver.driver.empty()) return;
  for (const DatabaseProblem& problem : context.check(config)) {
    const auto option = options.find(problem.key);
    const Where where = option != options.end()                        ? option->second
                        : !problem.key.empty() && map.Has(problem.key) ? map.WhereIs(problem.key)
                                                                       : map.where();
    context.problems->Add(where, problem.message);
  }
}

// Everybody on this machine may read a password that stands in the file itself.
void CheckSecret(const YamlMap& map, const driver::Config& config, const DatabaseContext& context) {
  const std::string& text = config.connection_string;
  const size_t slashes = text.find("://");
  const bool in_uri = slashes != std::string::npos &&
                      text.find(':', slashes + 3) < text.find('@', slashes + 3) &&
                      text.find('@', slashes + 3) != std::string::npos;
  const bool in_text = in_uri || text.find("password") != std::string::npos;
  if (context.config_file.empty() || !IsWorldReadable(context.config_file)) return;
  for (const char* key : {"password", "connection_string"}) {
    if (!map.Has(key) || (key == std::string_view("connection_string") && !in_text)) continue;
    context.problems->Add(map.WhereIs(key),
                          "is a secret in a file that everybody may read; chmod o-r the file, or "
                          "keep the password in a password_file that others may not read");
  }
}

DatabaseConfig ReadDatabase(YamlMap map, const std::string& name, const DatabaseContext& context) {
  DatabaseConfig config;
  config.line = map.where().line;
  config.driver.name = name;
  ReadDriver(&map, &config.driver);
  ReadConnection(&map, context, &config.driver);
  if (config.driver.driver == kSqlite) ReadSqlite(map, context, &config.driver);
  if (config.driver.driver == kPebble) {
    ReadPebble(map, context, &config.driver);
    config.pool.max_open = kPebbleConnections;
  }
  if (config.driver.driver == kCockroachDb) config.pool.max_lifetime = kCockroachDbLifetime;
  ReadPool(&map, &config.pool, context.problems);
  ReadLimits(&map, &config.limits);
  config.driver.query_timeout = config.limits.query_timeout;
  ReadSizes(&map, context, &config.driver);
  ReadMigrationsTable(&map, &config.migrations_table, context.problems);
  map.Duration("migrations_lease", Milliseconds(100), hours(1), &config.migrations_lease);
  if (const std::optional<Setting> folder = map.Text("migrate_on_start")) {
    config.migrate_on_start = folder->value;
  }
  const auto options = ReadOptions(map.Map("options"), &config.driver);
  map.Finish();
  CheckSecret(map, config.driver, context);
  CheckFurther(map, options, config, context);
  return config;
}

// Two that open one file would each be its only writer; the same goes for a folder of pebble's.
void CheckSameFile(const std::map<std::string, DatabaseConfig>& databases,
                   const std::map<std::string, Where>& places, Problems* problems) {
  std::map<std::string, std::string> names;
  for (const auto& [name, config] : databases) {
    const std::string path = SqlitePath(config.driver);
    const bool embedded = config.driver.driver == kSqlite || config.driver.driver == kPebble;
    if (!embedded || path.empty() || path == kInMemory) continue;
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
      context.problems->Add(where,
                            "is not a database's name; write letters, digits, '_' and '-', "
                            "at most 64");
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
    problems->Add(said->where, fmt::format("{} is not a database of this file; {}",
                                           Quoted(said->value), Advice(said->value, names)));
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
