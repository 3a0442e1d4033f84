// Whether tables, types and functions of a database are still those that they were.
#ifndef PENSTOCK_DRIVERS_POSTGRES_DEFINITIONS_H_
#define PENSTOCK_DRIVERS_POSTGRES_DEFINITIONS_H_

#include <atomic>
#include <cstdint>

namespace penstock::postgres {

// Shared by the connections of a driver: one that has changed a definition tells the
// others, whose prepared statements may not suit any more. Thread-safe.
class Definitions {
 public:
  void Change() { version_.fetch_add(1, std::memory_order_relaxed); }
  uint64_t version() const { return version_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> version_{0};
};

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_DEFINITIONS_H_
