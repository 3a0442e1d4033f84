// The `identities:` part of the configuration.
#ifndef PENSTOCK_SERVER_CONFIG_IDENTITY_SECTION_H_
#define PENSTOCK_SERVER_CONFIG_IDENTITY_SECTION_H_

#include <chrono>
#include <map>
#include <string>

#include "server/config/config.h"
#include "server/config/problems.h"
#include "server/config/yaml_map.h"

namespace penstock::server {

// The surroundings in which identities are checked.
struct IdentityContext {
  const std::map<std::string, DatabaseConfig>& databases;
  // The file says how JSON Web Tokens are verified.
  bool has_jwt;
  // Tokens that end later are live.
  std::chrono::system_clock::time_point now;
  Problems* problems;
};

// Reads each identity of the map. What is wrong with one is reported, and what is right of it is
// returned all the same.
IdentityConfigs ReadIdentities(YamlMap map, const IdentityContext& context);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_IDENTITY_SECTION_H_
