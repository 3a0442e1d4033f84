// `penstock migrate`: runs and reports migrations.
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

// Runs up, down, to, dry-run, baseline, adopt or repair. Prints a line to `out` for each step that
// is done, and to `err` what takes long and which files are not migrations. A dry run prints a
// script for psql or sqlite3.
absl::Status RunMigrate(const Options& options, const Context& ctx, Provider* db, Output* out,
                        std::ostream* err);

// Prints a summary and the migrations. As a table, it lists applied migrations only if
// options.migrate.all is set. The other formats list all, and the summary goes to `err`. Sets
// `code` to kExitOk, kExitPending or kExitRefused.
absl::Status PrintMigrationStatus(const Options& options, const Context& ctx, Provider* db,
                                  Output* out, std::ostream* err, ExitCode* code);

// Creates the two files of a new migration, and the folder if it does not exist, and prints their
// names. The version is one more than the highest version in the folder, with as many digits. It is
// the current time (YYYYMMDDhhmmss) if `options.migrate.timestamp` is set or the highest version
// has that form. Existing files are not overwritten.
absl::Status NewMigration(const Options& options, Output* out);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_MIGRATE_H_
