#include "server/config/load.h"

#include <openssl/sha.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <utility>

#include "fmt/format.h"
#include "server/config/config_file.h"
#include "server/config/credentials.h"
#include "server/config/database_section.h"
#include "server/config/file.h"
#include "server/config/identity_section.h"
#include "server/config/jwt_section.h"
#include "server/config/keys.h"
#include "server/config/secret_keys.h"
#include "server/config/server_section.h"
#include "server/config/wipe_freed.h"
#include "server/config/words.h"

namespace penstock::server {
namespace {

std::optional<std::string> ConfigPath(const CommandLine& command_line,
                                      const Environment& environment) {
  if (command_line.config_file) return command_line.config_file;
  std::optional<std::string> path = environment("PENSTOCK_CONFIG");
  if (path && path->empty()) return std::nullopt;
  return path;
}

// Tells whether something lies in the data folder that has no other place.
bool NeedsDataDir(const Config& config, const Overridable& overridable,
                  const std::string& data_dir) {
  if (overridable.data_dir || overridable.listen.empty()) return true;
  for (const auto& [name, database] : config.databases) {
    if (database.driver.database.starts_with(data_dir + "/")) return true;
  }
  return false;
}

void PrepareDataDir(const Setting& data_dir, bool create, Problems* problems) {
  std::error_code ignored;
  absl::Status made = absl::OkStatus();
  if (create) {
    made = MakePrivateFolder(data_dir.value);
  } else if (std::filesystem::exists(data_dir.value, ignored) &&
             !std::filesystem::is_directory(data_dir.value, ignored)) {
    made = absl::FailedPreconditionError("Not a directory");
  }
  if (made.ok()) return;
  problems->Add(
      data_dir.where,
      fmt::format("cannot use {} as the data folder: {}; name a folder that this user can write to",
                  Quoted(data_dir.value), std::string(made.message())));
}

// A password is compared by its digest, so that there is no second copy of it.
std::string Digest(const std::string& text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

void Flatten(const YAML::Node& node, const std::string& path,
             std::map<std::string, std::string>* out) {
  if (node.IsMap()) {
    for (const auto& entry : node) {
      const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
      Flatten(entry.second, path.empty() ? key : fmt::format("{}.{}", path, key), out);
    }
  } else if (node.IsSequence()) {
    for (size_t i = 0; i < node.size(); ++i) Flatten(node[i], fmt::format("{}[{}]", path, i), out);
  } else if (node.IsScalar()) {
    out->emplace(path, Digest(node.Scalar()));
  }
}

// Reads who may do what with the databases, which have been read.
void ReadCallers(YamlMap* map, Config* config, Problems* problems) {
  const bool has_jwt = map->Has("jwt");
  if (has_jwt) config->jwt = ReadJwt(map->Map("jwt"), problems);
  config->identities =
      ReadIdentities(map->Map("identities"), {.databases = config->databases,
                                              .has_jwt = has_jwt,
                                              .now = std::chrono::system_clock::now(),
                                              .problems = problems});
}

Setting DataDir(const Overridable& overridable, Problems* problems) {
  Setting otherwise{std::string(kDefaultDataDir), {"the default data folder"}};
  Setting data_dir = overridable.data_dir.value_or(otherwise);
  if (data_dir.value.empty()) {
    problems->Add(data_dir.where, "is empty; write the path of a folder");
    return otherwise;
  }
  while (data_dir.value.size() > 1 && data_dir.value.ends_with('/')) data_dir.value.pop_back();
  return data_dir;
}

}  // namespace

Environment ProcessEnvironment() {
  return [](const std::string& name) -> std::optional<std::string> {
    const char* const value = std::getenv(name.c_str());
    if (value == nullptr) return std::nullopt;
    return value;
  };
}

absl::StatusOr<Config> LoadConfig(const CommandLine& command_line, const Environment& environment,
                                  const DatabaseCheck& check, const PasswordNews& news) {
  const WipeFreed wiping;
  const std::optional<std::string> path = ConfigPath(command_line, environment);
  const std::string file = path.value_or("configuration");
  const absl::StatusOr<YAML::Node> root = path ? ReadConfigFile(*path) : YAML::Node();
  if (!root.ok()) return root.status();

  Problems problems;
  Config config;
  Overridable overridable;
  YamlMap map(*root, file, "", {fmt::format("{}:1", file), 1}, &problems);
  ReadKeys(FileKeys(), &map, &config);
  overridable.data_dir = map.Text("data_dir");
  ReadServer(map.Map("server"), &config.server, &overridable, &problems);
  ReadLog(map.Map("log"), &config.log, &overridable);
  Override(command_line, environment, &overridable, &config.server.insecure, &problems);

  const Setting data_dir = DataDir(overridable, &problems);
  Problems notes;
  const SecretKeys keys = SecretKeys::Read(map.TextList("secret_keys"), environment, &problems);
  const SecretContext secrets{.environment = environment,
                              .keys = keys,
                              .news = news,
                              .config_file = path.value_or(""),
                              .problems = &problems,
                              .notes = &notes};
  const DatabaseContext context{.data_dir = data_dir.value,
                                .max_message_bytes = config.server.max_message_bytes,
                                .check = check,
                                .secrets = secrets,
                                .has_identities = map.Has("identities"),
                                .has_jwt = map.Has("jwt"),
                                .problems = &problems};
  config.databases = ReadDatabases(map.Map("databases"), context);
  config.default_database = ChooseDefault(map.Text("default_database"), map.WhereIs("databases"),
                                          config.databases, &problems);
  ReadCallers(&map, &config, &problems);
  SetAddresses(overridable, data_dir, !config.identities.empty(), &config.server, &problems);
  SetLog(overridable, &config.log, &problems);
  map.Finish();

  if (problems.empty() && NeedsDataDir(config, overridable, data_dir.value)) {
    PrepareDataDir(data_dir, !command_line.check, &problems);
  }
  if (!problems.empty()) return problems.ToStatus();
  Flatten(*root, "", &config.said);
  config.notes = notes.Lines();
  return config;
}

}  // namespace penstock::server
