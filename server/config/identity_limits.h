// `identities.*.limits`.
#ifndef PENSTOCK_SERVER_CONFIG_IDENTITY_LIMITS_H_
#define PENSTOCK_SERVER_CONFIG_IDENTITY_LIMITS_H_

#include "server/config/identity.h"
#include "server/config/key.h"
#include "server/config/yaml_map.h"

namespace penstock::server {

// The table of the limits' keys, made at its first use.
const Keys<IdentityLimits>& IdentityLimitKeys();

// Reads the limits of the identity whose map this is; those that are not there are 0. What is wrong
// with one is reported to the map's problems.
IdentityLimits ReadIdentityLimits(YamlMap* identity);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_IDENTITY_LIMITS_H_
