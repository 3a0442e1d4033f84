// The programs that penstockd on PostgreSQL is held against.
#ifndef PENSTOCK_TESTS_BENCH_POSTGRES_PEERS_H_
#define PENSTOCK_TESTS_BENCH_POSTGRES_PEERS_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/bench/load.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace penstock::bench {

// Where a server listens: the folder of its unix socket, and the port in its name.
struct PostgresAddress {
  std::string host;
  int port = 5432;
  std::string database;

  // As libpq takes it.
  std::string conninfo() const;
};

// pgbench with the point select of the load: `callers` clients, for the measured
// part of `round` in whole seconds. `mode` is pgbench's -M.
absl::StatusOr<RoundResult> RunPgbench(const PostgresAddress& address, const std::string& mode,
                                       const Round& round, const std::string& folder);

// PgBouncer in front of a server; it ends with the object.
class PgBouncer {
 public:
  // `pool_mode` is PgBouncer's ("transaction", "session").
  static absl::StatusOr<std::unique_ptr<PgBouncer>> Start(const PostgresAddress& server,
                                                          const std::string& pool_mode,
                                                          int pool_size);
  const PostgresAddress& address() const { return address_; }

 private:
  testing::TempDir folder_;
  PostgresAddress address_;
  std::unique_ptr<testing::Process> process_;
};

// COPY FROM STDIN by psql of a file with the rows of the bulk insert, which is
// written first and not measured. Rows a second.
absl::StatusOr<RoundResult> RunCopy(const PostgresAddress& address, int64_t rows,
                                    const std::string& folder);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_POSTGRES_PEERS_H_
