// Compares penstockd's key-value calls with their peers.
#ifndef PENSTOCK_TESTS_BENCH_KEY_VALUE_SUITE_H_
#define PENSTOCK_TESTS_BENCH_KEY_VALUE_SUITE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/report.h"
#include "tests/bench/suite.h"

namespace penstock::bench {

absl::StatusOr<std::vector<Row>> RunKeyValueSuite(const SuiteOptions& options);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_KEY_VALUE_SUITE_H_
