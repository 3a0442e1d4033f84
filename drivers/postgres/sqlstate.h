// PostgreSQL's codes as the project's reasons.
#ifndef PENSTOCK_DRIVERS_POSTGRES_SQLSTATE_H_
#define PENSTOCK_DRIVERS_POSTGRES_SQLSTATE_H_

#include <optional>
#include <string_view>

#include "drivers/api/error.h"

namespace penstock::postgres {

// Tells what the code of an ERROR means, by itself or by its class. None: no class of
// PostgreSQL's, so that somebody has made it up.
std::optional<driver::Reason> ReasonOfSqlstate(std::string_view sqlstate);

// The codes that CockroachDB has beside PostgreSQL's (its pgcode/codes.go, v23.1 to v25.4).
// None: it is not one of those.
std::optional<driver::Reason> ReasonOfCockroachCode(std::string_view sqlstate);

// The same where the server has refused a connection; empty: it has not said why.
driver::Reason ReasonOfConnecting(std::string_view sqlstate);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_SQLSTATE_H_
