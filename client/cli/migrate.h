// `penstock migrate …`.
#ifndef PENSTOCK_CLIENT_CLI_MIGRATE_H_
#define PENSTOCK_CLIENT_CLI_MIGRATE_H_

#include <iosfwd>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/options.h"
#include "client/cli/output.h"
#include "penstock/context.h"
#include "penstock/provider.h"

namespace penstock::cli {

// Runs up, down, to, dry-run, baseline, adopt or repair: a line for each step that is done
// on `out`, what takes long and files that are no migrations on `err`. What a dry run
// prints is a script for psql or sqlite3.
absl::Status RunMigrate(const Options& options, const Context& ctx, Provider* db, Output* out,
                        std::ostream* err);

// Prints a summary, and the migrations: as a table those that are not simply applied unless
// options.migrate.all; in the other formats all, and the summary on `err`. `code`: kExitOk,
// kExitPending or kExitRefused.
absl::Status PrintMigrationStatus(const Options& options, const Context& ctx, Provider* db,
                                  Output* out, std::ostream* err, ExitCode* code);

// Creates the two files of a new migration in the folder, and the folder if it is
// missing, and prints their names. The version is one more than the highest there
// (or that of now, YYYYMMDDhhmmss, with `options.migrate.timestamp` or where the
// highest is of that form) with as many digits. Existing files stay as they are.
absl::Status NewMigration(const Options& options, Output* out);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_MIGRATE_H_
