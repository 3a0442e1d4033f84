// The keys of a database.
#include <algorithm>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "drivers/api/spec.h"
#include "server/config/keys.h"

namespace penstock::server {
namespace {

using std::chrono::hours;

constexpr size_t kKiB = size_t{1} << 10;
constexpr size_t kGiB = size_t{1} << 30;
constexpr Milliseconds kNone{0};
constexpr Milliseconds kYear = hours(365 * 24);
constexpr char kAsLibpq[] = "as libpq";

// Lists the drivers that have a default of their own, as in "pebble: 32".
std::string OfDrivers(const std::string& common,
                      const std::function<std::string(const driver::PoolDefaults&)>& show) {
  std::string note;
  for (const driver::DriverSpec* spec : driver::Drivers()) {
    const std::string own = show(spec->pool);
    if (own == common) continue;
    note += fmt::format("{}{}: {}", note.empty() ? "" : ", ", spec->info.name, own);
  }
  return note;
}

// Joins a text of each driver, as in "sqlite: the path. postgres and cockroachdb: a URI".
std::string ByDriver(std::string_view driver::DriverSpec::*text) {
  std::vector<std::pair<std::string_view, std::string>> parts;
  for (const driver::DriverSpec* spec : driver::Drivers()) {
    const std::string_view own = spec->*text;
    const auto same = std::find_if(parts.begin(), parts.end(),
                                   [own](const auto& part) { return part.first == own; });
    if (same != parts.end()) {
      same->second += " and " + spec->info.name;
    } else if (!own.empty()) {
      parts.emplace_back(own, spec->info.name);
    }
  }
  std::string joined;
  for (const auto& [own, names] : parts) {
    joined += fmt::format("{}{}: {}", joined.empty() ? "" : ". ", names, own);
  }
  return joined;
}

// Tells how a driver shares out its connections, where reads and writes go to different ones.
std::string Lanes() {
  std::string lanes;
  for (const driver::DriverSpec* spec : driver::Drivers()) {
    if (!spec->info.split_lanes) continue;
    lanes += fmt::format("; on {} {}", spec->info.name,
                         spec->info.max_writers == 1 ? "one of them writes and the others read"
                                                     : "half of them read");
  }
  return lanes;
}

std::string DriverList() {
  std::string list;
  for (const std::string& name : driver::DriverNames()) {
    const std::string& canonical = driver::FindDriver(name)->info.name;
    list += fmt::format("{}`{}`", list.empty() ? "" : ", ", name);
    if (canonical != name) list += fmt::format(" (the same as `{}`)", canonical);
  }
  return list;
}

std::string DefaultPaths() {
  std::string paths;
  for (const driver::DriverSpec* spec : driver::Drivers()) {
    if (spec->suffix.empty()) continue;
    paths += fmt::format("{}{}: `<data_dir>/<name>{}`", paths.empty() ? "" : "; ", spec->info.name,
                         spec->suffix);
  }
  return paths;
}

Key<driver::Config> PasswordKey(std::string name, std::string help) {
  return {.name = std::move(name), .help = std::move(help), .otherwise = "none", .reloads = true};
}

Keys<driver::Config> KeysOfPlace() {
  using driver::Config;
  return {
      {.name = "driver",
       .help = DriverList(),
       .otherwise = fmt::format("`{}`", driver::Drivers().front()->info.name)},
      {.name = "database",
       .type = TextKey{&Config::database},
       .help = ByDriver(&driver::DriverSpec::database_help),
       .otherwise = DefaultPaths()},
      {.name = "connection_string",
       .type = TextKey{&Config::connection_string},
       .help =
           "the whole connection in one string, or `sealed:…`, instead of the single keys; only "
           "the password may be given beside it. " +
           ByDriver(&driver::DriverSpec::connection_help),
       .otherwise = "none"},
  };
}

Keys<driver::Config> KeysOfServer() {
  using driver::Config;
  return {
      {.name = "host",
       .type = TextKey{&Config::host},
       .help = "the server's host; several hosts, separated by commas, are tried in turn",
       .otherwise = kAsLibpq},
      {.name = "port",
       .type = IntKey{&Config::port, 1, 65535},
       .help = "the server's port",
       .otherwise = kAsLibpq},
      {.name = "username",
       .type = TextKey{&Config::username},
       .help = "the user name with which the daemon connects",
       .otherwise = kAsLibpq},
      PasswordKey("password",
                  "the password, or `sealed:…`; only one of the four password keys may be set"),
      PasswordKey("password_file",
                  "a file that contains only the password, and that not everybody can read; read "
                  "again for each attempt to connect"),
      PasswordKey("password_credential",
                  "the name of a credential that systemd passes to the daemon, which contains only "
                  "the password; read again for each attempt to connect"),
      PasswordKey("password_env", "the environment variable that contains the password"),
      {.name = "ssl_mode",
       .type = ChoiceKey{&Config::ssl_mode,
                         {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}},
       .help = "`disable`, `allow`, `prefer`, `require`, `verify-ca` or `verify-full`",
       .otherwise = kAsLibpq},
  };
}

Keys<PoolConfig> KeysOfSizes() {
  const PoolConfig defaults;
  const std::string open = OfDrivers(fmt::format("{}", defaults.max_open), [](const auto& pool) {
    return fmt::format("{}", pool.max_open);
  });
  return {
      {.name = "max_open_connections",
       .type = IntKey{&PoolConfig::max_open, 1, 10'000},
       .help = "the maximum number of connections open at once" + Lanes(),
       .note = open},
      {.name = "max_idle_connections",
       .type = IntKey{&PoolConfig::max_idle, 0, 10'000},
       .help = "the maximum number of connections that stay open while nobody uses them; up to "
               "`max_open_connections`",
       .note = "or `max_open_connections`, where that is set"},
      {.name = "min_idle_connections",
       .type = IntKey{&PoolConfig::min_idle, 0, 10'000},
       .help = "the number of connections that are kept open and idle in reserve; up to "
               "`max_idle_connections`"},
      {.name = "max_waiters",
       .type = IntKey{&PoolConfig::max_waiters, 0, 1'000'000},
       .help =
           "the maximum number of requests that wait for a connection; more are refused at once"},
  };
}

Keys<PoolConfig> KeysOfTimes() {
  const std::string lifetime =
      OfDrivers(FormatDuration(PoolConfig().max_lifetime),
                [](const auto& pool) { return FormatDuration(pool.max_lifetime); });
  return {
      {.name = "connection_max_lifetime",
       .type = DurationKey{&PoolConfig::max_lifetime, kNone, kYear},
       .help = "a connection is closed at this age, less up to a tenth at random; 0 means never",
       .note = lifetime},
      {.name = "connection_max_idle_time",
       .type = DurationKey{&PoolConfig::max_idle_time, kNone, kYear},
       .help = "a connection is closed after being idle for this long, unless it is one of "
               "`min_idle_connections`; 0 means never"},
      {.name = "acquire_timeout",
       .type = DurationKey{&PoolConfig::acquire_timeout, kNone, hours(24)},
       .help = "the time limit of waiting for a connection; 0 means the request's own deadline"},
      {.name = "connect_timeout",
       .type = DurationKey{&PoolConfig::connect_timeout, Milliseconds(1), hours(1)},
       .help = "the time limit of one attempt to connect. After a failure the next attempt follows "
               "at a random time within 100 ms, then 200 ms, up to 5 s; once two in a row have "
               "failed, requests that find no open connection fail at once"},
  };
}

}  // namespace

const Keys<driver::Config>& ConnectionKeys() {
  static const auto* const keys = new Keys<driver::Config>(Joined(KeysOfPlace(), KeysOfServer()));
  return *keys;
}

const Keys<PoolConfig>& PoolKeys() {
  static const auto* const keys = new Keys<PoolConfig>(Joined(KeysOfSizes(), KeysOfTimes()));
  return *keys;
}

const Keys<DatabaseLimits>& LimitKeys() {
  static const auto* const keys = new Keys<DatabaseLimits>{
      {.name = "query_timeout",
       .type = DurationKey{&DatabaseLimits::query_timeout, kNone, kYear},
       .help = "the time limit of a statement; the shortest of this, the request's timeout and the "
               "call's deadline applies. PostgreSQL gets this plus 5 s as its `statement_timeout`, "
               "in case the daemon is gone. 0 means no limit"},
      {.name = "transaction_idle_timeout",
       .type = DurationKey{&DatabaseLimits::transaction_idle_timeout, kNone, kYear},
       .help = "the time limit of being idle between two steps of a transaction; 0 means no limit"},
      {.name = "transaction_timeout",
       .type = DurationKey{&DatabaseLimits::transaction_timeout, kNone, kYear},
       .help = "the time limit of a whole transaction; 0 means no limit"},
      {.name = "max_returning_bytes",
       .type = SizeKey{&DatabaseLimits::max_returning_bytes, kKiB, kGiB},
       .help = "the maximum size of the rows that a writing statement returns, which are held "
               "until it is committed (sqlite)"},
      {.name = "max_transaction_statements",
       .type = IntKey{&DatabaseLimits::max_transaction_statements, 1, 100'000},
       .help = "the maximum number of prepared statements that one transaction keeps open"},
  };
  return *keys;
}

const Keys<SettingsConfig>& SettingKeys() {
  static const auto* const keys = new Keys<SettingsConfig>{
      {.name = "call_settings",
       .help = "the [settings of the session](identities.md#row-level-security-by-settings) that a "
               "call may carry, as in `[app.user, app.tenant]`; at most 64 with those below. Each "
               "is two or more words joined by `.`, of small letters, digits and `_`, at most 63 "
               "in all, so that it is none of the server's own (postgres)",
       .otherwise = "none"},
      {.name = "identity_settings",
       .help = "the settings of the session that each call has, and that none may carry: a map of "
               "names to `identity`, the caller's identity, `claim:NAME`, a claim of its JSON Web "
               "Token, or `claims`, all of them as a JSON object (postgres)",
       .otherwise = "none"},
  };
  return *keys;
}

const Keys<driver::Config>& ValueKeys() {
  static const auto* const keys = new Keys<driver::Config>{
      {.name = "statement_cache_size",
       .type = CountKey{&driver::Config::statement_cache_size, 1, 100'000},
       .help = "the maximum number of prepared statements that each connection keeps for reuse"},
      {.name = "max_value_bytes",
       .type = SizeKey{&driver::Config::max_value_bytes, kKiB, kGiB},
       .help = "the maximum size of a single value in either direction; at most "
               "`server.max_message_bytes`, which also has to hold the message around the value"},
  };
  return *keys;
}

const Keys<DatabaseConfig>& MigrationKeys() {
  static const auto* const keys = new Keys<DatabaseConfig>{
      {.name = "migrations_table",
       .help = "the table that records which [migrations](migrations.md) were applied",
       .otherwise = fmt::format("`{}`", DatabaseConfig().migrations_table)},
      {.name = "migrations_lease",
       .type = DurationKey{&DatabaseConfig::migrations_lease, Milliseconds(100), hours(1)},
       .help = "cockroachdb: the time for which the lock of a migrator that has died keeps others "
               "waiting"},
      {.name = "migrate_on_start",
       .type = TextKey{&DatabaseConfig::migrate_on_start},
       .help = "a folder of migrations that are applied before the daemon serves; `/readyz` "
               "answers 503 meanwhile, and the daemon exits if one fails",
       .otherwise = "none"},
      {.name = "options", .help = "the driver's own options, see below"},
  };
  return *keys;
}

}  // namespace penstock::server
