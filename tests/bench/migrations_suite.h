// Migrations beside the database's own program.
#ifndef PENSTOCK_TESTS_BENCH_MIGRATIONS_SUITE_H_
#define PENSTOCK_TESTS_BENCH_MIGRATIONS_SUITE_H_

#include <vector>

#include "absl/status/statusor.h"
#include "tests/bench/report.h"
#include "tests/bench/suite.h"

namespace penstock::bench {

// A folder of small migrations, each a statement: `penstock migrate up` through a running
// daemon against the same statements fed to sqlite3 and psql in one transaction each, on
// fresh databases that are equally durable. The client's start counts on both sides.
absl::StatusOr<std::vector<Row>> RunMigrationsSuite(const SuiteOptions& options);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_MIGRATIONS_SUITE_H_
