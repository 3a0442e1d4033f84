// The `databases:` part of the configuration.
#ifndef PENSTOCK_SERVER_CONFIG_DATABASE_SECTION_H_
#define PENSTOCK_SERVER_CONFIG_DATABASE_SECTION_H_

#include <cstddef>
#include <map>
#include <optional>
#include <string>

#include "server/config/config.h"
#include "server/config/credentials.h"
#include "server/config/load.h"
#include "server/config/problems.h"
#include "server/config/yaml_map.h"

namespace penstock::server {

// The surroundings in which the settings of a database are checked.
struct DatabaseContext {
  // The folder of a database that names no file.
  std::string data_dir;
  size_t max_message_bytes;
  const DatabaseCheck& check;
  const SecretContext& secrets;
  // The file has identities, and says how JSON Web Tokens are verified.
  bool has_identities;
  bool has_jwt;
  Problems* problems;
};

// Reads each database of the map; without one, "main" on the first driver.
std::map<std::string, DatabaseConfig> ReadDatabases(YamlMap map, const DatabaseContext& context);

// Returns the database of requests that name none. If `said` is empty it is the only one, or
// "main"; if there is neither, that is reported at `where`.
std::string ChooseDefault(const std::optional<Setting>& said, const Where& where,
                          const std::map<std::string, DatabaseConfig>& databases,
                          Problems* problems);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_DATABASE_SECTION_H_
