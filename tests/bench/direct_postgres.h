// PostgreSQL without a gateway: makes the tables of the load, and measures the peers.
#ifndef PENSTOCK_TESTS_BENCH_DIRECT_POSTGRES_H_
#define PENSTOCK_TESTS_BENCH_DIRECT_POSTGRES_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/bench/load.h"

namespace penstock::bench {

// The query of the large read: $1 rows of an integer, a double, a text and another integer.
inline constexpr char kLargePostgresSql[] =
    "SELECT i, i * 0.5::float8, 'row ' || i, i % 7 FROM generate_series(1, $1::int8) AS i";
// The statement of the bulk insert, which names the columns of its table.
inline constexpr char kBulkSql[] = "INSERT INTO items(id, name, price) VALUES($1, $2, $3)";

// `conninfo` is libpq's here and below.
absl::Status RunSql(const std::string& conninfo, const std::string& sql);
absl::StatusOr<int64_t> AskNumber(const std::string& conninfo, const std::string& sql);

// Makes the tables of the point select (with rows), of the inserts, and of the bulk insert.
absl::Status MakePostgresTables(const std::string& conninfo);

// Measures the prepared point select with libpq. Each of `round.callers` is a thread with a
// connection of its own. Checks every answer.
absl::StatusOr<RoundResult> DirectPointSelects(const std::string& conninfo, const Round& round);

// Measures the rows per second of the large read with libpq in single-row mode. Counts every value.
absl::StatusOr<RoundResult> DirectLargeRead(const std::string& conninfo, int64_t rows);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_DIRECT_POSTGRES_H_
