// Compares migrations with the databases' own programs.
#ifndef PENSTOCK_TESTS_BENCH_MIGRATIONS_SUITE_H_
#define PENSTOCK_TESTS_BENCH_MIGRATIONS_SUITE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/report.h"
#include "tests/bench/suite.h"

namespace penstock::bench {

// Runs a folder of small migrations, each of one statement, by `penstock migrate up` through a
// running daemon, and feeds the same statements to sqlite3 and psql with one transaction for each,
// on fresh databases of the same durability. The start of the client counts on both sides.
absl::StatusOr<std::vector<Row>> RunMigrationsSuite(const SuiteOptions& options);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_MIGRATIONS_SUITE_H_
