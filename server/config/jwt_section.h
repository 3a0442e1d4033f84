// The `jwt:` part of the configuration.
#ifndef PENSTOCK_SERVER_CONFIG_JWT_SECTION_H_
#define PENSTOCK_SERVER_CONFIG_JWT_SECTION_H_

#include "server/config/config.h"
#include "server/config/problems.h"
#include "server/config/yaml_map.h"

namespace penstock::server {

// Reads how JSON Web Tokens are verified, and tries the file: it can be read, not everybody may
// write to it, and it is a JSON Web Key Set as a whole. Its keys are not looked at.
JwtConfig ReadJwt(YamlMap map, Problems* problems);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_JWT_SECTION_H_
