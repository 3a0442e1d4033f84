// What differs between the servers that speak PostgreSQL's protocol.
#ifndef PENSTOCK_DRIVERS_POSTGRES_FLAVOR_H_
#define PENSTOCK_DRIVERS_POSTGRES_FLAVOR_H_

#include "drivers/api/driver.h"

namespace penstock::postgres {

struct Flavor {
  driver::DriverInfo info;
  // The server has to say that it is a CockroachDB; otherwise it must not.
  bool cockroach = false;
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_FLAVOR_H_
