// What the commands do.
#ifndef PENSTOCK_CLIENT_CLI_COMMANDS_H_
#define PENSTOCK_CLIENT_CLI_COMMANDS_H_

#include <iosfwd>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "penstock/provider.h"

namespace penstock::cli {

// Where a command reads and writes. All of it belongs to the caller.
struct Streams {
  // For a statement that is given as "-".
  std::istream* in;
  // Results.
  Output* out;
  // Errors.
  std::ostream* err;
};

// The provider that `options` describe. An error is one of the command line.
absl::StatusOr<std::unique_ptr<Provider>> MakeProvider(const Options& options);

// Runs the command of `options` on `db`, and writes all of its output out.
// A reader that goes away (`| head`) ends it early and well.
ExitCode RunCommand(const Options& options, Provider* db, const Streams& streams);

// An error for people: the message; below it the code, the reason and whatever
// else is known; and what to do about it. Nothing in it moves a cursor.
std::string DescribeError(const absl::Status& status);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_COMMANDS_H_
