// penstock kv.
#ifndef PENSTOCK_CLIENT_CLI_KEY_VALUE_H_
#define PENSTOCK_CLIENT_CLI_KEY_VALUE_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "penstock/provider.h"

namespace penstock::cli {

// Whether the words of `options` make a command. INVALID_ARGUMENT with a
// message for the user.
absl::Status CheckKeyValue(const Options& options);

// The bytes that the words name: the key or prefix, and the value, read from `in` where
// that is what they say. An empty string for what they do not name. An error is the command
// line's or that of reading; nothing has been sent.
struct KeyAndValue {
  std::string key;
  std::string value;
};
absl::StatusOr<KeyAndValue> ReadKeyAndValue(const Options& options, int in);

// Runs it. NOT_FOUND for a key that is not there.
absl::Status RunKeyValue(const Options& options, const KeyAndValue& given, const Context& ctx,
                         Provider* db, Output* out);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_KEY_VALUE_H_
