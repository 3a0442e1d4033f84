// Writes the counts as Prometheus reads them.
#ifndef PENSTOCK_SERVER_METRICS_TEXT_H_
#define PENSTOCK_SERVER_METRICS_TEXT_H_

#include <string>

#include "server/database/database.h"
#include "server/metrics/metrics.h"

namespace penstock::server {

// Returns the text of /metrics as of now. Names begin with penstock_. Labels are database, pool,
// rpc and code, and those of the drivers' own metrics (driver::Metric), never a statement's text.
std::string MetricsText(const ServerMetrics& server, const Databases& databases);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_METRICS_TEXT_H_
