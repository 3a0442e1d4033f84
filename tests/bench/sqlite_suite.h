// penstockd on SQLite beside its peers.
#ifndef PENSTOCK_TESTS_BENCH_SQLITE_SUITE_H_
#define PENSTOCK_TESTS_BENCH_SQLITE_SUITE_H_

#include <chrono>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/report.h"

namespace penstock::bench {

struct SuiteOptions {
  // The program under test.
  std::string daemon;
  // An existing folder on the disk that is to take the durable writes.
  std::string data_dir;
  // Only rows whose name contains this; empty: all.
  std::string only;
  int rounds = 5;
  std::chrono::milliseconds warm_up{300};
  std::chrono::milliseconds measured{1500};
  // Of the large result.
  int64_t large_rows = 5'000'000;
};

// Runs the suite. An error is a call or a process that failed, never a target
// that was missed.
absl::StatusOr<std::vector<Row>> RunSqliteSuite(const SuiteOptions& options);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_SQLITE_SUITE_H_
