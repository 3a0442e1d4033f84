// `penstock secret`: makes keys, and seals what is secret in penstockd's configuration. It needs no
// daemon.
#ifndef PENSTOCK_CLIENT_CLI_SECRET_H_
#define PENSTOCK_CLIENT_CLI_SECRET_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "sealing/sealed_box.h"

namespace CLI {
class App;
}  // namespace CLI

namespace penstock::cli {

// Adds the command and its actions.
void AddSecret(CLI::App* app, Options* options);

// The inputs of the command. Those that its action does not need are empty. Standard input may hold
// a secret, which RunSecret wipes.
struct SecretInputs {
  std::string text;
  std::optional<sealing::SecretKey> key;
  std::optional<sealing::PublicKey> public_key;
};

// Reads the key that `options` name, and the text from `in`. An error means that one of them cannot
// be read, or is no key, or that others than the owner of the key's file may use it.
absl::StatusOr<SecretInputs> ReadSecretInputs(const Options& options, int in);

// Runs the action, and writes its result to `out` or, for keygen, to a new file. ALREADY_EXISTS if
// that file is there; FAILED_PRECONDITION if a text was sealed for another key.
absl::Status RunSecret(const Options& options, SecretInputs inputs, Output* out);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_SECRET_H_
