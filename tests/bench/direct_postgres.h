// PostgreSQL without a gateway: the tables of the load, and the peers.
#ifndef PENSTOCK_TESTS_BENCH_DIRECT_POSTGRES_H_
#define PENSTOCK_TESTS_BENCH_DIRECT_POSTGRES_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/bench/load.h"

namespace penstock::bench {

// The query of the large read: $1 rows of an integer, a double, a text and
// another integer.
inline constexpr char kLargePostgresSql[] =
    "SELECT i, i * 0.5::float8, 'row ' || i, i % 7 FROM generate_series(1, $1::int8) AS i";
// The statement of the bulk insert, and its table's columns.
inline constexpr char kBulkSql[] = "INSERT INTO items(id, name, price) VALUES($1, $2, $3)";

// `conninfo` is libpq's, as everywhere below.
absl::Status RunSql(const std::string& conninfo, const std::string& sql);
absl::StatusOr<int64_t> AskNumber(const std::string& conninfo, const std::string& sql);

// The tables of the point select, filled, of the inserts and of the bulk insert.
absl::Status MakePostgresTables(const std::string& conninfo);

// One caller's prepared point select by libpq, on a connection of its own.
absl::StatusOr<RoundResult> DirectPointSelects(const std::string& conninfo,
                                               std::chrono::milliseconds warm_up,
                                               std::chrono::milliseconds measured);

// Rows a second of the large read by libpq in single-row mode, every value counted.
absl::StatusOr<RoundResult> DirectLargeRead(const std::string& conninfo, int64_t rows);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_DIRECT_POSTGRES_H_
