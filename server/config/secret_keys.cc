#include "server/config/secret_keys.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "server/config/secret_file.h"
#include "server/config/words.h"
#include "text/wipe.h"

namespace penstock::server {
namespace {

using sealing::SecretKey;

constexpr std::string_view kCredential = "credential:";
constexpr size_t kMostKeys = 2;

absl::StatusOr<SecretFile> FileOf(const std::string& value, const Environment& environment) {
  if (!value.starts_with(kCredential)) {
    return SecretFile{.path = value, .secret = "key", .owner_only = true};
  }
  // Who may read a credential is systemd's to say: an access list may show as a group that may.
  absl::StatusOr<SecretFile> file = CredentialFile(value.substr(kCredential.size()), environment);
  if (file.ok()) file->secret = "key";
  return file;
}

absl::StatusOr<SecretKey> ReadKey(const std::string& value, const Environment& environment) {
  const absl::StatusOr<SecretFile> file = FileOf(value, environment);
  if (!file.ok()) return file.status();
  absl::StatusOr<std::string> text = ReadSecretFile(*file);
  if (!text.ok()) return text.status();
  absl::StatusOr<SecretKey> key = SecretKey::Parse(*text);
  Wipe(&*text);
  if (key.ok()) return key;
  return absl::InvalidArgumentError(fmt::format(
      "names a {} that holds no key; name one that penstock secret keygen has made", file->noun));
}

}  // namespace

bool IsSealed(std::string_view value) { return value.starts_with(sealing::kSealedPrefix); }

SecretKeys SecretKeys::Read(const std::vector<Setting>& settings, const Environment& environment,
                            Problems* problems) {
  SecretKeys keys;
  if (settings.size() > kMostKeys) {
    problems->Add(settings[kMostKeys].where,
                  fmt::format("has {} keys; keep the new one and the old one", settings.size()));
  }
  for (const Setting& setting : settings) {
    absl::StatusOr<SecretKey> key = ReadKey(setting.value, environment);
    if (key.ok()) {
      keys.keys_.push_back(*std::move(key));
    } else {
      keys.incomplete_ = true;
      problems->Add(setting.where, std::string(key.status().message()));
    }
  }
  return keys;
}

std::string SecretKeys::Open(const Setting& sealed, Problems* problems) const {
  for (const SecretKey& key : keys_) {
    absl::StatusOr<std::string> secret = key.Open(sealed.value);
    if (secret.ok()) {
      if (!secret->empty() && !HasControlCharacter(*secret)) return *std::move(secret);
      problems->Add(sealed.where,
                    "seals nothing, or a line break or another control character; seal the secret "
                    "without it");
      return {};
    }
    if (absl::IsInvalidArgument(secret.status())) {
      problems->Add(sealed.where,
                    "is no sealed value; write what penstock secret seal prints, or a secret that "
                    "does not begin with sealed:");
      return {};
    }
  }
  if (keys_.empty() && !incomplete_) {
    problems->Add(sealed.where, "is sealed, and there is no key; name its key in secret_keys");
  } else if (!incomplete_) {
    problems->Add(sealed.where,
                  "is sealed for a key that is not in secret_keys; name that key there, or seal "
                  "the secret again");
  }
  return {};
}

}  // namespace penstock::server
