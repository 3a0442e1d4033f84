// The counters and gauges of the daemon.
#ifndef PENSTOCK_SERVER_METRICS_METRICS_H_
#define PENSTOCK_SERVER_METRICS_METRICS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "server/metrics/methods.h"
#include "server/runtime/clock.h"

namespace penstock::server {

// A counter or gauge: one relaxed atomic, as it is touched on every request.
class Count {
 public:
  void Add(int64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// A histogram with fixed upper bounds. Thread-safe.
template <size_t N>
class Histogram {
 public:
  explicit constexpr Histogram(const std::array<double, N>& bounds) : bounds_(bounds) {}

  void Observe(double value) {
    size_t bucket = 0;
    while (bucket < N && value > bounds_[bucket]) ++bucket;
    buckets_[bucket].Add();
    double sum = sum_.load(std::memory_order_relaxed);
    while (!sum_.compare_exchange_weak(sum, sum + value, std::memory_order_relaxed)) {
    }
  }

  const std::array<double, N>& bounds() const { return bounds_; }
  // Returns the count of bucket i alone, not cumulative; bucket N has all that lies above every
  // bound.
  int64_t bucket(size_t i) const { return buckets_[i].value(); }
  double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  const std::array<double, N> bounds_;
  std::array<Count, N + 1> buckets_;
  std::atomic<double> sum_{0};
};

inline constexpr std::array<double, 12> kSecondsBounds = {
    0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30};
inline constexpr std::array<double, 9> kBatchBounds = {1, 2, 4, 8, 16, 32, 64, 128, 256};

// The sizes of the batches that a statement queue handed to its driver.
struct BatchMetrics {
  void OnBatch(size_t statements) { sizes.Observe(static_cast<double>(statements)); }
  Histogram<9> sizes{kBatchBounds};
};

inline constexpr size_t kStatusCodes = 17;

// The metrics of one database.
struct DatabaseMetrics {
  // Statements that ended, by status code.
  std::array<Count, kStatusCodes> statements;
  // The time from the arrival of a request to the end of its statement, waiting included.
  Histogram<12> statement_seconds{kSecondsBounds};
  Count rows_returned;
  Count rows_affected;
  Count open_transactions;
  Count transactions_committed;
  Count transactions_rolled_back;
  Count transactions_killed;  // by a limit, a lost client or a drain
  BatchMetrics read_batches;
  BatchMetrics write_batches;

  void CountStatement(absl::StatusCode code, Duration elapsed);
};

// The metrics of the whole daemon.
struct ServerMetrics {
  // Calls that ended, by method and status code.
  std::array<std::array<Count, kStatusCodes>, kRpcs> calls;
  Count open_sessions;
  Count sessions_refused;
  // Calls, and requests of HTTP, without the credentials that they need.
  Count calls_refused;
  // Those of them that were not told why, because their peer fails too often.
  Count calls_throttled;
  Count stalled_streams;
  // Of Pipeline streams: calls that are not answered, bytes as max_pipeline_bytes counts them, and
  // the calls of each message that came.
  Count pipeline_calls;
  Count pipeline_bytes;
  Histogram<9> pipeline_message_calls{kBatchBounds};
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_METRICS_METRICS_H_
