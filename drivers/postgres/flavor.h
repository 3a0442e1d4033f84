// Tells the driver how the server differs from PostgreSQL, whose protocol it speaks.
#ifndef PENSTOCK_DRIVERS_POSTGRES_FLAVOR_H_
#define PENSTOCK_DRIVERS_POSTGRES_FLAVOR_H_

#include <string_view>

#include "drivers/api/driver.h"
#include "drivers/postgres/effects.h"
#include "drivers/postgres/syntax.h"

namespace penstock::postgres {

struct Flavor {
  driver::DriverInfo info;
  // The server has to say that it is a CockroachDB; otherwise it must not.
  bool cockroach = false;
  // Reads a text that PostgreSQL's parser cannot: the server has a grammar of its own beside
  // it. kUnknown: it is not known either. Null: there is no such grammar.
  Syntax (*read_own)(std::string_view sql) = nullptr;
  // Tells what the server's own function of this name does, if the catalogue says that it is
  // volatile. Null: it may do anything, or functions.h knows it.
  const Effects* (*effects_of)(std::string_view function) = nullptr;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_FLAVOR_H_
