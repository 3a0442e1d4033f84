#include "server/config/secret_file.h"

#include <sys/stat.h>

#include <optional>
#include <utility>

#include "fmt/format.h"
#include "server/config/file.h"
#include "server/config/words.h"
#include "text/wipe.h"

namespace penstock::server {
namespace {

constexpr size_t kLargestSecretFile = 64 << 10;

constexpr char kCredentials[] = "CREDENTIALS_DIRECTORY";

// Runtimes of containers put secrets here, with modes of their own; nobody else reads them.
constexpr std::string_view kContainerSecrets = "/run/secrets/";

// Tells whether the file's group, or everybody, may do anything with it.
bool IsOpenToOthers(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode) && (info.st_mode & 077) != 0;
}

absl::Status CheckMode(const SecretFile& file) {
  if (file.path.starts_with(kContainerSecrets)) return absl::OkStatus();
  if (IsWorldReadable(file.path)) {
    return absl::FailedPreconditionError(
        fmt::format("names a {} that everybody can read; run chmod o-r on it", file.noun));
  }
  if (file.owner_only && IsOpenToOthers(file.path)) {
    return absl::FailedPreconditionError(fmt::format(
        "names a {} that others than its owner can use; run chmod 600 on it", file.noun));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<SecretFile> CredentialFile(const std::string& name, const Environment& environment) {
  if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos) {
    return absl::InvalidArgumentError(
        "is not the name of a credential; write the one that LoadCredential= gives it, without a "
        "path");
  }
  const std::optional<std::string> folder = environment(kCredentials);
  if (!folder || folder->empty()) {
    return absl::InvalidArgumentError(
        fmt::format("names a credential, and {} is not set; let systemd start the daemon, with "
                    "LoadCredential= in its unit",
                    kCredentials));
  }
  return SecretFile{.path = fmt::format("{}/{}", *folder, name), .noun = "credential"};
}

absl::StatusOr<std::string> ReadSecretFile(const SecretFile& file) {
  absl::StatusOr<std::string> content = ReadSmallFile(file.path, kLargestSecretFile);
  if (!content.ok()) {
    return absl::UnavailableError(
        fmt::format("names a {} that cannot be read: {}; name one that this user can read",
                    file.noun, std::string(content.status().message())));
  }
  absl::Status status = CheckMode(file);
  if (content->ends_with('\n')) content->pop_back();
  if (content->ends_with('\r')) content->pop_back();
  if (status.ok() && (content->empty() || HasControlCharacter(*content))) {
    status = absl::FailedPreconditionError(
        fmt::format("names a {} that does not have exactly one line; write only the {} "
                    "into it",
                    file.noun, file.secret));
  }
  if (status.ok()) return content;
  Wipe(&*content);
  return status;
}

}  // namespace penstock::server
