// What is wrong with a database's configuration that only its driver knows.
#ifndef PENSTOCK_SERVER_SESSION_CONFIG_CHECK_H_
#define PENSTOCK_SERVER_SESSION_CONFIG_CHECK_H_

#include <vector>

#include "server/config/load.h"

namespace penstock::server {

// Every option and the rest, as the driver would refuse it when it is opened, and the
// folder of migrations, as it would be refused when they are applied. Opens nothing.
std::vector<DatabaseProblem> CheckDatabase(const DatabaseConfig& config);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_SESSION_CONFIG_CHECK_H_
