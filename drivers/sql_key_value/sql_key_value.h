// Key-value operations on any driver of SQL.
//
// A keyspace is the table penstock_kv_<keyspace>, which may also be read and
// written by SQL. An operation that is one statement becomes that statement
// and travels in the driver's batches; a write of several is a transaction of its
// own, isolated from those by the backend, or by locks (KeyValueDialect::locks). What the
// backend could not serialize is run again a few times.
#ifndef PENSTOCK_DRIVERS_SQL_KEY_VALUE_SQL_KEY_VALUE_H_
#define PENSTOCK_DRIVERS_SQL_KEY_VALUE_SQL_KEY_VALUE_H_

#include <memory>

#include "drivers/api/driver.h"
#include "drivers/api/key_value_dialect.h"

namespace penstock::sql_key_value {

// The same driver, whose connections also run StatementRun::key_value.
std::unique_ptr<driver::Driver> WithKeyValue(std::unique_ptr<driver::Driver> driver,
                                             const driver::KeyValueDialect& dialect);

}  // namespace penstock::sql_key_value

#endif  // PENSTOCK_DRIVERS_SQL_KEY_VALUE_SQL_KEY_VALUE_H_
