#include "server/metrics/metrics.h"

#include <algorithm>

namespace penstock::server {

void DatabaseMetrics::CountStatement(absl::StatusCode code, Duration elapsed) {
  statements[std::min(static_cast<size_t>(code), kStatusCodes - 1)].Add();
  statement_seconds.Observe(std::chrono::duration<double>(elapsed).count());
}

}  // namespace penstock::server
