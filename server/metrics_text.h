// Writes the counts as Prometheus reads them.
#ifndef PENSTOCK_SERVER_METRICS_TEXT_H_
#define PENSTOCK_SERVER_METRICS_TEXT_H_

#include <string>

#include "server/auth/authenticator.h"
#include "server/database/database.h"
#include "server/metrics/metrics.h"
#include "server/net/certificates.h"

namespace penstock::server {

// Returns the text of /metrics as of now, with the identities and the certificates if there are
// any. Names begin with penstock_. Labels are database, pool, rpc, code, identity, limit, file
// and files, and those of the drivers' own metrics (driver::Metric), never a statement's text.
std::string MetricsText(const ServerMetrics& server, const Databases& databases,
                        const Authenticator* authenticator = nullptr,
                        const Certificates* certificates = nullptr);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_METRICS_TEXT_H_
