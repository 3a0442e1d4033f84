// The command line of `penstock migrate`.
#ifndef PENSTOCK_CLIENT_CLI_MIGRATE_OPTIONS_H_
#define PENSTOCK_CLIENT_CLI_MIGRATE_OPTIONS_H_

#include "client/cli/options.h"

namespace CLI {
class App;
}  // namespace CLI

namespace penstock::cli {

// Adds `migrate` and its subcommands to `app`. Parsing stores what it finds in `options`, which
// must outlive it.
void AddMigrate(CLI::App* app, Options* options);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_MIGRATE_OPTIONS_H_
