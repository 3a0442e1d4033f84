// A driver that the product does not know: it keeps texts in a map, and understands `SET` with
// two parameters and `ALL`. It shows that a driver is one folder and one row.
#ifndef PENSTOCK_TESTS_UNIT_DRIVERS_TOY_DRIVER_H_
#define PENSTOCK_TESTS_UNIT_DRIVERS_TOY_DRIVER_H_

#include "drivers/api/spec.h"

namespace penstock::toy {

const driver::DriverSpec& Spec();

}  // namespace penstock::toy

#endif  // PENSTOCK_TESTS_UNIT_DRIVERS_TOY_DRIVER_H_
