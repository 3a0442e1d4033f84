// Checks that a CockroachDB is one that is served.
#ifndef PENSTOCK_DRIVERS_POSTGRES_COCKROACH_SESSION_H_
#define PENSTOCK_DRIVERS_POSTGRES_COCKROACH_SESSION_H_

#include <string_view>

#include "absl/status/status.h"

namespace penstock::postgres {

// The oldest release that is served, as an error and Open's comment say it.
inline constexpr std::string_view kOldestCockroach = "23.1.3";

// Whether a server of this crdb_version ("CockroachDB CCL v24.1.2 (x86_64-pc-linux-gnu, …)") is
// served. kConnectionFailed: it is older than kOldestCockroach, or has no version in it that
// could be compared.
absl::Status CheckCockroachVersion(std::string_view version);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_COCKROACH_SESSION_H_
