// penstock kv.
#ifndef PENSTOCK_CLIENT_CLI_KEY_VALUE_H_
#define PENSTOCK_CLIENT_CLI_KEY_VALUE_H_

#include <istream>
#include <string>

#include "absl/status/status.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "penstock/provider.h"

namespace penstock::cli {

// Whether the words of `options` make a command. INVALID_ARGUMENT with a
// message for the user.
absl::Status CheckKeyValue(const Options& options);

// Runs it. NOT_FOUND for a key that is not there.
absl::Status RunKeyValue(const Options& options, const Context& ctx, Provider* db, std::istream* in,
                         Output* out);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_KEY_VALUE_H_
