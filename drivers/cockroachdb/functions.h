// Tells what CockroachDB's own functions do beside what they answer.
#ifndef PENSTOCK_DRIVERS_COCKROACHDB_FUNCTIONS_H_
#define PENSTOCK_DRIVERS_COCKROACHDB_FUNCTIONS_H_

#include <string_view>

#include "drivers/postgres/effects.h"

namespace penstock::cockroachdb {

// The effects of the server's own volatile function `name` (without crdb_internal), by
// "Functions and Operators" of CockroachDB's documents, v23.1 to v25.4. Null: it is not in the
// table, and may do anything. That the function is the server's own the caller has asked the
// catalogue. Thread-safe.
const postgres::Effects* EffectsOfFunction(std::string_view name);

}  // namespace penstock::cockroachdb

#endif  // PENSTOCK_DRIVERS_COCKROACHDB_FUNCTIONS_H_
