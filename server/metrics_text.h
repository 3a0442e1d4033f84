// Writes the counts as Prometheus reads them.
#ifndef PENSTOCK_SERVER_METRICS_TEXT_H_
#define PENSTOCK_SERVER_METRICS_TEXT_H_

#include <memory>
#include <string>
#include <vector>

#include "server/auth/quota.h"
#include "server/database/database.h"
#include "server/metrics/metrics.h"

namespace penstock::server {

// Returns the text of /metrics as of now, with the identities of `quotas`. Names begin with
// penstock_. Labels are database, pool, rpc, code, identity and limit, and those of the drivers'
// own metrics (driver::Metric), never a statement's text.
std::string MetricsText(const ServerMetrics& server, const Databases& databases,
                        const std::vector<std::shared_ptr<const Quota>>& quotas = {});

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_METRICS_TEXT_H_
