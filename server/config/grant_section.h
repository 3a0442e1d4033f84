// `identities.*.grants`.
#ifndef PENSTOCK_SERVER_CONFIG_GRANT_SECTION_H_
#define PENSTOCK_SERVER_CONFIG_GRANT_SECTION_H_

#include <map>
#include <string>
#include <vector>

#include "server/config/config.h"
#include "server/config/problems.h"
#include "server/config/yaml_map.h"

namespace penstock::server {

// Reads the grants of the identity: one for each database that a grant of the file names.
std::vector<GrantConfig> ReadGrants(YamlMap* identity,
                                    const std::map<std::string, DatabaseConfig>& databases,
                                    Problems* problems);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_GRANT_SECTION_H_
