// Texts that a map of the file has to have.
#ifndef PENSTOCK_SERVER_CONFIG_REQUIRED_H_
#define PENSTOCK_SERVER_CONFIG_REQUIRED_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/config/problems.h"
#include "server/config/yaml_map.h"

namespace penstock::server {

// Returns the text of `key`. If it is missing or empty that is reported with `advice`, which says
// what to write. Nothing is returned for what was reported.
std::optional<Setting> RequiredText(YamlMap* map, const std::string& key, std::string_view advice,
                                    Problems* problems);

// Returns the texts of `key`, one or a list, and reports the empty ones among them.
std::vector<Setting> FullTexts(YamlMap* map, const std::string& key, Problems* problems);

// Returns the same, and reports a key that is missing with `advice`, which says what to write.
std::vector<Setting> RequiredTexts(YamlMap* map, const std::string& key, std::string_view advice,
                                   Problems* problems);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_REQUIRED_H_
