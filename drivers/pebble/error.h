// RocksDB's statuses as the project's errors.
#ifndef PENSTOCK_DRIVERS_PEBBLE_ERROR_H_
#define PENSTOCK_DRIVERS_PEBBLE_ERROR_H_

#include "absl/status/status.h"

namespace rocksdb {
class Status;
}

namespace penstock::pebble {

// Tells what a failure means. driver_code is RocksDB's code. OK for OK.
absl::Status Classify(const rocksdb::Status& status);

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_ERROR_H_
