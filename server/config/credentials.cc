#include "server/config/credentials.h"

#include <optional>
#include <string_view>
#include <utility>

#include "fmt/format.h"
#include "server/config/file.h"
#include "server/config/words.h"

namespace penstock::server {
namespace {

constexpr size_t kLargestPasswordFile = 64 << 10;

// Runtimes of containers put secrets here, with modes of their own; nobody else reads them.
constexpr std::string_view kContainerSecrets = "/run/secrets/";

// The value is not shown: a password that was written here by mistake is still one.
std::string FromFile(const Setting& file, Problems* problems) {
  absl::StatusOr<std::string> content = ReadSmallFile(file.value, kLargestPasswordFile);
  if (!content.ok()) {
    problems->Add(
        file.where,
        fmt::format("names a file that cannot be read: {}; name one that this user can read",
                    std::string(content.status().message())));
    return {};
  }
  if (!file.value.starts_with(kContainerSecrets) && IsWorldReadable(file.value)) {
    problems->Add(file.where, "names a file that everybody can read; run chmod o-r on it");
    return {};
  }
  if (content->ends_with('\n')) content->pop_back();
  if (content->ends_with('\r')) content->pop_back();
  if (content->empty() || HasControlCharacter(*content)) {
    problems->Add(
        file.where,
        "names a file that does not have exactly one line; write only the password into it");
    return {};
  }
  return *std::move(content);
}

std::string FromVariable(const Setting& name, const Environment& environment, Problems* problems) {
  std::optional<std::string> value = environment(name.value);
  if (value && !value->empty()) return *std::move(value);
  problems->Add(name.where, "names an environment variable that is not set; set it");
  return {};
}

}  // namespace

std::string ReadPassword(YamlMap* map, const Environment& environment, Problems* problems) {
  const std::optional<Setting> password = map->Text("password");
  const std::optional<Setting> file = map->Text("password_file");
  const std::optional<Setting> variable = map->Text("password_env");
  if (password.has_value() + file.has_value() + variable.has_value() > 1) {
    const Setting& last = variable ? *variable : *file;
    problems->Add(last.where,
                  "conflicts with another key for the password; keep one of password, "
                  "password_file and password_env");
    return {};
  }
  if (file) return FromFile(*file, problems);
  if (variable) return FromVariable(*variable, environment, problems);
  return password ? password->value : std::string();
}

}  // namespace penstock::server
