// The tables of the configuration's keys, and all of them together for documents and tests.
#ifndef PENSTOCK_SERVER_CONFIG_KEYS_H_
#define PENSTOCK_SERVER_CONFIG_KEYS_H_

#include <string>
#include <string_view>
#include <vector>

#include "server/config/config.h"
#include "server/config/key.h"

namespace penstock::server {

inline constexpr std::string_view kDefaultDataDir = "data";
inline constexpr std::string_view kDefaultListen = "127.0.0.1:7420";
inline constexpr std::string_view kDefaultHttpListen = "127.0.0.1:9420";

// Each table is made once, at its first use, in server_keys.cc, database_keys.cc or
// identity_keys.cc.
const Keys<Config>& FileKeys();
const Keys<ServerConfig>& ServerKeys();
const Keys<TlsConfig>& TlsKeys();
const Keys<LogConfig>& LogKeys();
// The keys of a database, in their order in the documents.
const Keys<driver::Config>& ConnectionKeys();
const Keys<PoolConfig>& PoolKeys();
const Keys<DatabaseLimits>& LimitKeys();
const Keys<SettingsConfig>& SettingKeys();
const Keys<driver::Config>& ValueKeys();
const Keys<DatabaseConfig>& MigrationKeys();
const Keys<IdentityConfig>& IdentityKeys();
const Keys<TokenConfig>& TokenKeys();
const Keys<GrantConfig>& GrantKeys();
const Keys<JwtConfig>& JwtKeys();

// A table of the documents.
struct KeySection {
  // "server.tls", or "Options of pebble".
  std::string heading;
  // The path of its keys: "server.tls", "databases.*.options", or empty at the top. An item of a
  // list has the list's path.
  std::string path;
  // For options, the drivers that have them.
  std::vector<std::string> drivers;
  std::vector<KeyText> keys;
};

// Returns every key. Drivers with the same options share a section.
std::vector<KeySection> KeySections();

// Tells whether SIGHUP may apply a change of the key at `path`, as in "databases.main.password" or
// "identities.app.tokens[0].expires" or "secret_keys[0]".
bool ReloadsKey(std::string_view path);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_KEYS_H_
