// RocksDB's statistics as figures.
#ifndef PENSTOCK_DRIVERS_PEBBLE_METRICS_H_
#define PENSTOCK_DRIVERS_PEBBLE_METRICS_H_

#include <vector>

#include "drivers/api/metrics.h"
#include "drivers/pebble/store.h"

namespace penstock::pebble {

// Of how many keyspaces, the first ones by name, figures are told.
inline constexpr size_t kMaxKeyspaceFigures = 100;

// What the store's RocksDB tells, as of now; see driver::Driver::Metrics. Takes
// RocksDB's own mutex for moments.
std::vector<driver::Metric> CollectMetrics(const Store& store);

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_METRICS_H_
