// The parts of the configuration that are not about databases.
#ifndef PENSTOCK_SERVER_CONFIG_SERVER_SECTION_H_
#define PENSTOCK_SERVER_CONFIG_SERVER_SECTION_H_

#include <optional>
#include <string>
#include <vector>

#include "server/config/config.h"
#include "server/config/load.h"
#include "server/config/problems.h"
#include "server/config/yaml_map.h"

namespace penstock::server {

// The settings that flags and variables override, as the winner gives them and not yet checked.
struct Overridable {
  std::optional<Setting> data_dir;
  std::vector<Setting> listen;
  std::optional<Setting> http_listen;
  std::optional<Setting> log_level;
  std::optional<Setting> log_format;
};

// Reads `server:` of the file; the settings that can be overridden go to `overridable`.
void ReadServer(YamlMap map, ServerConfig* server, Overridable* overridable, Problems* problems);
// Reads `log:` of the file.
void ReadLog(YamlMap map, LogConfig* log, Overridable* overridable);

// Puts environment variables, and then flags, over the settings of the file.
void Override(const CommandLine& command_line, const Environment& environment,
              Overridable* overridable, bool* insecure, Problems* problems);

// Checks the addresses and sets `listen` and `http_listen`. Other machines may reach `listen` only
// if the file has identities and `server` has TLS, or if it is insecure by its own word.
// `data_dir` is where the default socket goes.
void SetAddresses(const Overridable& overridable, const Setting& data_dir, bool has_identities,
                  ServerConfig* server, Problems* problems);
// Checks and sets level and format.
void SetLog(const Overridable& overridable, LogConfig* log, Problems* problems);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_SERVER_SECTION_H_
