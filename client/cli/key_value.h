// `penstock kv`: reads and writes keys and values.
#ifndef PENSTOCK_CLIENT_CLI_KEY_VALUE_H_
#define PENSTOCK_CLIENT_CLI_KEY_VALUE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "penstock/provider.h"

namespace penstock::cli {

// Checks that the words of `options` make a command. INVALID_ARGUMENT has a message for the user.
absl::Status CheckKeyValue(const Options& options);

// Reads the key or prefix, and the value, that the words give; from `in` if the value is "-". What
// the words do not give is empty. An error means that the command line is wrong or `in` cannot be
// read; nothing has been sent.
struct KeyAndValue {
  std::string key;
  std::string value;
};
absl::StatusOr<KeyAndValue> ReadKeyAndValue(const Options& options, int in);

// Runs the command. NOT_FOUND if the key does not exist.
absl::Status RunKeyValue(const Options& options, const KeyAndValue& given, const Context& ctx,
                         Provider* db, Output* out);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_KEY_VALUE_H_
