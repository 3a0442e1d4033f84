// Figures that a driver tells of its backend, for whoever watches the daemon.
#ifndef PENSTOCK_DRIVERS_API_METRICS_H_
#define PENSTOCK_DRIVERS_API_METRICS_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace penstock::driver {

// One figure, as of now. The server adds the label `database` and serves it at
// /metrics.
struct Metric {
  enum class Kind : uint8_t {
    kCounter,  // only grows while the driver is open; its name ends in _total
    kGauge
  };
  // penstock_<driver>_<what>[_<unit>], as Prometheus has it: base units, such as
  // bytes and seconds. Metrics of one name have the same kind, help and label names.
  std::string name;
  std::string help;
  Kind kind = Kind::kGauge;
  // Few values each: no keys, no statements, nothing that a client invents without a
  // limit.
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_METRICS_H_
