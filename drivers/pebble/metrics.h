// RocksDB's statistics as figures.
#ifndef PENSTOCK_DRIVERS_PEBBLE_METRICS_H_
#define PENSTOCK_DRIVERS_PEBBLE_METRICS_H_

#include <vector>

#include "drivers/api/metrics.h"
#include "drivers/pebble/store.h"

namespace penstock::pebble {

// So many keyspaces, the first ones by name, have figures of their own.
inline constexpr size_t kMaxKeyspaceFigures = 100;

// Returns what the store's RocksDB tells now; see driver::Driver::Metrics. Takes
// RocksDB's own mutex for moments.
std::vector<driver::Metric> CollectMetrics(const Store& store);

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_METRICS_H_
