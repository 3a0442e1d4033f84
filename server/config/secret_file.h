// Reads files that hold one secret: passwords and keys.
#ifndef PENSTOCK_SERVER_CONFIG_SECRET_FILE_H_
#define PENSTOCK_SERVER_CONFIG_SECRET_FILE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "server/config/load.h"

namespace penstock::server {

// A file that holds a secret.
struct SecretFile {
  std::string path;
  // What messages call it, and what it holds.
  std::string_view noun = "file";
  std::string_view secret = "password";
  // Whether its group may not read it either.
  bool owner_only = false;
};

// Returns the file of the credential that systemd has passed to the daemon under this name
// (LoadCredential=, LoadCredentialEncrypted=). INVALID_ARGUMENT if `name` is no name of one, or if
// systemd has passed none.
absl::StatusOr<SecretFile> CredentialFile(const std::string& name, const Environment& environment);

// Returns the only line of the file, without its end. The caller wipes it. The error's message goes
// on behind the place of the setting, "names a file that …", and shows neither the path, which may
// be a secret that stands in the wrong place, nor anything of the content.
absl::StatusOr<std::string> ReadSecretFile(const SecretFile& file);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_SECRET_FILE_H_
