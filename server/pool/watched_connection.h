// A connection whose calls are watched.
#ifndef PENSTOCK_SERVER_POOL_WATCHED_CONNECTION_H_
#define PENSTOCK_SERVER_POOL_WATCHED_CONNECTION_H_

#include <memory>

#include "drivers/api/driver.h"
#include "server/pool/call_monitor.h"

namespace penstock::server {

// Returns `connection`, with the calls that have a deadline or a cancellation watched by `monitor`,
// which outlives it.
std::unique_ptr<driver::Connection> WatchCalls(std::unique_ptr<driver::Connection> connection,
                                               CallMonitor* monitor);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_POOL_WATCHED_CONNECTION_H_
