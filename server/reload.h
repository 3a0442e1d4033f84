// Applies the changes of the configuration that SIGHUP asks for.
#ifndef PENSTOCK_SERVER_RELOAD_H_
#define PENSTOCK_SERVER_RELOAD_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/config/config.h"
#include "server/daemon.h"

namespace penstock::server {

// Returns, in order and without values, the keys that differ between the two and that only a
// restart applies.
std::vector<std::string> NeedRestart(const Config& running, const Config& fresh);

// Applies the changes that need no restart (the log's level and form, the contents and names of the
// certificates, the identities, the passwords of databases whose server and user are as before),
// logs that, and logs which keys need a restart. `running` shares its passwords with the databases
// that were opened with it. If `fresh` is an error, each of its problems is logged as a line and
// everything stays as it is.
void Reload(const Config& running, const absl::StatusOr<Config>& fresh, Daemon* daemon);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RELOAD_H_
