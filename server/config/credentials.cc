#include "server/config/credentials.h"

#include <filesystem>
#include <iterator>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "fmt/format.h"
#include "server/config/file.h"
#include "server/config/secret_file.h"
#include "text/wipe.h"

namespace penstock::server {
namespace {

constexpr const char* kPasswordKeys[] = {"password", "password_file", "password_credential",
                                         "password_env"};

// Puts the place of a setting before an error.
absl::Status At(const Where& where, const absl::Status& status) {
  if (status.ok()) return status;
  return absl::Status(status.code(),
                      fmt::format("{}: {}", where.text, std::string(status.message())));
}

// Reads the file again for each attempt to connect, and tells what is new about it.
driver::Password::Source SourceOf(const SecretFile& file, const Where& where,
                                  const std::string& database, const PasswordNews& news) {
  return [=](const std::string& so_far) -> std::optional<std::string> {
    // A pipe gives its content only once, and waits for whoever writes into it.
    std::error_code ignored;
    if (std::filesystem::is_fifo(file.path, ignored)) return std::nullopt;
    absl::StatusOr<std::string> now = ReadSecretFile(file);
    if (now.ok() && *now == so_far) {
      Wipe(&*now);
      return std::nullopt;
    }
    if (news) news(database, At(where, now.status()));
    if (!now.ok()) return std::nullopt;
    return *std::move(now);
  };
}

void FromFile(const absl::StatusOr<SecretFile>& file, const Where& where,
              const SecretContext& context, driver::Config* config) {
  absl::Status status = file.status();
  if (status.ok()) {
    absl::StatusOr<std::string> password = ReadSecretFile(*file);
    status = password.status();
    if (password.ok()) config->password.Set(*std::move(password));
  }
  if (status.ok()) {
    config->password.Follow(SourceOf(*file, where, config->name, context.news));
  } else {
    // The value is not shown: a password that was written here by mistake is still one.
    context.problems->Add(where, std::string(status.message()));
  }
}

void FromVariable(const Setting& name, const SecretContext& context, driver::Config* config) {
  std::optional<std::string> value = context.environment(name.value);
  if (value && !value->empty()) {
    config->password.Set(*std::move(value));
  } else {
    context.problems->Add(name.where, "names an environment variable that is not set; set it");
  }
}

// Notes the place of a password in clear.
void FromText(Setting password, const SecretContext& context, driver::Config* config,
              std::vector<Where>* in_clear) {
  if (IsSealed(password.value)) {
    config->password.Set(context.keys.Open(password, context.problems));
    return;
  }
  if (!password.value.empty()) in_clear->push_back(password.where);
  config->password.Set(std::move(password.value));
}

void ReadPassword(YamlMap* map, const SecretContext& context, driver::Config* config,
                  std::vector<Where>* in_clear) {
  std::optional<Setting> settings[std::size(kPasswordKeys)];
  const char* last = nullptr;
  int count = 0;
  for (size_t i = 0; i < std::size(kPasswordKeys); ++i) {
    settings[i] = map->Text(kPasswordKeys[i]);
    if (!settings[i]) continue;
    last = kPasswordKeys[i];
    ++count;
  }
  if (count > 1) {
    context.problems->Add(map->WhereIs(last),
                          "conflicts with another key for the password; keep one of password, "
                          "password_file, password_credential and password_env");
    return;
  }
  auto& [password, file, credential, variable] = settings;
  if (password) FromText(*std::move(password), context, config, in_clear);
  if (file) FromFile(SecretFile{.path = file->value}, file->where, context, config);
  if (credential) {
    FromFile(CredentialFile(credential->value, context.environment), credential->where, context,
             config);
  }
  if (variable) FromVariable(*variable, context, config);
}

bool HasPassword(std::string_view connection_string) {
  const size_t slashes = connection_string.find("://");
  if (slashes != std::string_view::npos) {
    const size_t at = connection_string.find('@', slashes + 3);
    const size_t colon = connection_string.find(':', slashes + 3);
    if (at != std::string_view::npos && colon < at) return true;
  }
  return connection_string.find("password") != std::string_view::npos;
}

}  // namespace

std::vector<Where> ReadSecrets(YamlMap* map, const SecretContext& context, driver::Config* config) {
  std::vector<Where> in_clear;
  ReadPassword(map, context, config, &in_clear);
  std::string& text = config->connection_string;
  const Where where = map->WhereIs("connection_string");
  if (IsSealed(text)) {
    text = context.keys.Open({text, where}, context.problems);
  } else if (HasPassword(text)) {
    in_clear.push_back(where);
  }
  return in_clear;
}

void TellInClear(const std::vector<Where>& places, const SecretContext& context) {
  if (context.config_file.empty()) return;
  const bool open = IsWorldReadable(context.config_file);
  for (const Where& where : places) {
    if (open) {
      context.problems->Add(
          where,
          "is a secret in a file that everybody can read; run chmod o-r on the "
          "file, or keep the password in a password_file that others cannot read");
    } else {
      context.notes->Add(where,
                         "is a secret in clear; seal it with penstock secret seal, or keep the "
                         "password in a password_file");
    }
  }
}

}  // namespace penstock::server
