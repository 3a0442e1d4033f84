// What the commands do.
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

// Where a command reads and writes. All of it belongs to the caller.
struct Streams {
  // For a statement or a value that is given as "-": a descriptor.
  int in;
  // Results.
  Output* out;
  // Errors.
  std::ostream* err;
};

// The provider that `options` describe. An error is one of the command line.
absl::StatusOr<std::unique_ptr<Provider>> MakeProvider(const Options& options);

// Runs the command of `options` on `db`, and writes all of its output out. Input that cannot
// be read ends it before anything is sent, output that cannot be written at once. If the
// daemon cannot be reached and it is TLS that fails, a line says why.
ExitCode RunCommand(const Options& options, Provider* db, const Streams& streams);

// An error for people: the message; below it the line of `sql`, the statement that failed,
// with a caret under the place, where that is known; the code, the reason and whatever else
// is known; and what to do about it. Nothing in it moves a cursor.
std::string DescribeError(const absl::Status& status, std::string_view sql = {});

// A line below such an error: why there is no link to the daemon.
std::string DescribeLink(std::string_view why);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_COMMANDS_H_
