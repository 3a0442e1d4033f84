// `penstock gen`: writes the tables of a database as a C++ header.
#ifndef PENSTOCK_CLIENT_CLI_GEN_H_
#define PENSTOCK_CLIENT_CLI_GEN_H_

#include <iosfwd>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "penstock/provider.h"

namespace CLI {
class App;
}  // namespace CLI

namespace penstock::cli {

// Adds the options of `gen`.
void AddGen(CLI::App* command, Options* options);

// Returns the content of the file that --check compares with; empty without --check. NOT_FOUND if
// the file cannot be read.
absl::StatusOr<std::string> ReadCheckedFile(const Options& options);

// Writes the header where `options` say, or compares it with `checked`, prints the lines that
// differ and sets `code`. Prints notes about names and types to `err`.
absl::Status RunGen(const Options& options, const std::string& checked, const Context& ctx,
                    Provider* db, Output* out, std::ostream* err, ExitCode* code);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_GEN_H_
