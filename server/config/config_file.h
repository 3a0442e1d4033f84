// Turns the bytes of the configuration file into YAML.
#ifndef PENSTOCK_SERVER_CONFIG_CONFIG_FILE_H_
#define PENSTOCK_SERVER_CONFIG_CONFIG_FILE_H_

#include <string>

#include "absl/status/statusor.h"
#include "yaml-cpp/yaml.h"

namespace penstock::server {

// Reads the file; an empty one is a null node. Fails with INVALID_ARGUMENT, as "file:line: what is
// wrong; what to do", if it cannot be read, is not text, or is not one YAML document.
absl::StatusOr<YAML::Node> ReadConfigFile(const std::string& path);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_CONFIG_FILE_H_
