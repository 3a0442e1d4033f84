// What functions of PostgreSQL's own do.
#ifndef PENSTOCK_DRIVERS_POSTGRES_FUNCTIONS_H_
#define PENSTOCK_DRIVERS_POSTGRES_FUNCTIONS_H_

#include <string_view>

#include "drivers/postgres/effects.h"

namespace penstock::postgres {

// Returns the effects of a function of the server's own that is declared VOLATILE, because what it
// answers is not the same each time, and of which it is known what else it does. Null: it may do
// anything. Functions of the server's own that are not volatile do nothing. The effects live for
// ever. Thread-safe.
const Effects* EffectsOfFunction(std::string_view name);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_FUNCTIONS_H_
