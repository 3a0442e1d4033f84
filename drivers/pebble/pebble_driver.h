// RocksDB behind the driver interface. The only header of this folder that
// others include.
#ifndef PENSTOCK_DRIVERS_PEBBLE_PEBBLE_DRIVER_H_
#define PENSTOCK_DRIVERS_PEBBLE_PEBBLE_DRIVER_H_

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/config.h"
#include "drivers/api/driver.h"
#include "drivers/api/spec.h"

namespace penstock::pebble {

// Opens the database in the folder that `config.database` (or
// `connection_string`) names, creating it if the folder above it exists. There
// is one opener at a time; a second one is refused.
//
// It runs key-value operations (StatementRun::key_value) and SQLite's SQL. A
// keyspace is a column family, and a table of the columns `key` and `value`; the
// keyspace `kv` is there from the start, with bytes in both. What such tables lack
// is kUnsupported, with a hint.
//
// Operations outside a transaction are linearizable. A statement reads one
// snapshot, and what it writes has not changed since. A transaction reads the
// snapshot of its begin, and its own writes; it fails with kSerializationFailure
// if it writes what somebody else has written since (snapshot isolation);
// kReadCommitted reads what is newest instead. kSerializable is kUnsupported.
//
// Its options are in spec.cc.
absl::StatusOr<std::unique_ptr<driver::Driver>> Open(const driver::Config& config);

// Returns what is wrong with a configuration, as Open would say, without opening anything.
absl::Status Check(const driver::Config& config);

// The names and the options of the driver.
const driver::DriverSpec& Spec();
driver::MakeMigrations MakeMigrations;

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_PEBBLE_DRIVER_H_
