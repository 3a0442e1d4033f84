// SQLite without a gateway: makes the tables of the load, and measures the peer of the inserts.
#ifndef PENSTOCK_TESTS_BENCH_DIRECT_SQLITE_H_
#define PENSTOCK_TESTS_BENCH_DIRECT_SQLITE_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"

namespace penstock::bench {

// The query of the large result: $1 rows of an integer, a double, a text and another integer.
inline constexpr char kLargeSqliteSql[] =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1) "
    "SELECT i, i * 0.5, 'row ' || i, i % 7 FROM n";

// Makes a database file with the table of the point select, filled, and the empty table of the
// inserts.
absl::Status MakeDatabase(const std::string& path);

// Returns the number of rows of the table of the inserts.
absl::StatusOr<int64_t> CountInserts(const std::string& path);

// Measures the durable single-row inserts per second of `callers` threads in this process. Each
// thread has a connection of its own (WAL, synchronous=FULL) and commits each row.
absl::StatusOr<double> DirectInserts(const std::string& path, int callers,
                                     std::chrono::milliseconds warm_up,
                                     std::chrono::milliseconds measured);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_DIRECT_SQLITE_H_
