// Reads a database's password from the place that the configuration names.
#ifndef PENSTOCK_SERVER_CONFIG_CREDENTIALS_H_
#define PENSTOCK_SERVER_CONFIG_CREDENTIALS_H_

#include <string>

#include "server/config/load.h"
#include "server/config/problems.h"
#include "server/config/yaml_map.h"

namespace penstock::server {

// Reads one of `password`, `password_file` (without the line's end) and `password_env`; more than
// one is a problem. Returns an empty text if none is there, or if it is wrong. No message shows any
// of the password.
std::string ReadPassword(YamlMap* map, const Environment& environment, Problems* problems);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_CREDENTIALS_H_
