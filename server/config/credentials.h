// Reads the secrets of a database from the places that the configuration names.
#ifndef PENSTOCK_SERVER_CONFIG_CREDENTIALS_H_
#define PENSTOCK_SERVER_CONFIG_CREDENTIALS_H_

#include <string>
#include <vector>

#include "drivers/api/config.h"
#include "server/config/load.h"
#include "server/config/problems.h"
#include "server/config/secret_keys.h"
#include "server/config/yaml_map.h"

namespace penstock::server {

// The surroundings in which secrets are read. All that it refers to outlives it.
struct SecretContext {
  const Environment& environment;
  const SecretKeys& keys;
  // May be empty.
  const PasswordNews& news;
  // The file of the configuration; empty if there is none.
  std::string config_file;
  Problems* problems;
  // Receives a line for each secret that stands in clear.
  Problems* notes;
};

// Reads one of `password`, `password_file`, `password_credential` and `password_env` into
// `config->password`, which is asked for anew later if it is in a file or a credential; more than
// one is a problem. Opens `config->connection_string` if it is sealed. Returns the places of
// secrets that stand in clear. No message shows any secret.
std::vector<Where> ReadSecrets(YamlMap* map, const SecretContext& context, driver::Config* config);

// Notes the secrets that stand in clear, or tells a problem for each if everybody can read the
// configuration.
void TellInClear(const std::vector<Where>& places, const SecretContext& context);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_CREDENTIALS_H_
