// Runs the commands of `penstock`.
#ifndef PENSTOCK_CLIENT_CLI_COMMANDS_H_
#define PENSTOCK_CLIENT_CLI_COMMANDS_H_

#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "penstock/provider.h"

namespace penstock::cli {

// The inputs and outputs of a command. The caller owns them.
struct Streams {
  // The descriptor that a statement or a value is read from if it is given as "-", and a token that
  // is to be checked.
  int in;
  // Receives results.
  Output* out;
  // Receives errors and notices.
  std::ostream* err;
};

// Makes the provider that `options` describe; null for a command that needs no daemon. An error
// means that the command line is wrong, or that the token's file cannot be read.
absl::StatusOr<std::unique_ptr<Provider>> MakeProvider(const Options& options);

// Runs the command of `options` on `db` (see MakeProvider) and writes all of its output. If its
// input cannot be read, the command ends before anything is sent; if its output cannot be written,
// it ends at once. If the daemon cannot be reached because of TLS, prints a line that says why.
ExitCode RunCommand(const Options& options, Provider* db, const Streams& streams);

// Describes an error for a person: the message; the line of `sql` (the statement that failed) with
// a caret under the place of the error, if that is known; the code, the reason and other details;
// and a hint. Control characters are escaped.
std::string DescribeError(const absl::Status& status, std::string_view sql = {});

// Returns a line for below such an error: why there is no connection to the daemon.
std::string DescribeLink(std::string_view why);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_COMMANDS_H_
