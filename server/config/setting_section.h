// The settings of the session that a database's callers have: `call_settings` and
// `identity_settings`.
#ifndef PENSTOCK_SERVER_CONFIG_SETTING_SECTION_H_
#define PENSTOCK_SERVER_CONFIG_SETTING_SECTION_H_

#include "drivers/api/spec.h"
#include "server/config/config.h"
#include "server/config/problems.h"
#include "server/config/yaml_map.h"

namespace penstock::server {

// What of the file the settings of a database depend on.
struct SettingContext {
  // The file has identities, and says how JSON Web Tokens are verified.
  bool has_identities;
  bool has_jwt;
  Problems* problems;
};

// Reads the two keys of a database. `spec` is its driver's; null if that is not known, and then
// nothing that depends on it is reported.
SettingsConfig ReadSettings(YamlMap* database, const driver::DriverSpec* spec,
                            const SettingContext& context);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_SETTING_SECTION_H_
