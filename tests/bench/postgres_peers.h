// The programs that penstockd on PostgreSQL is compared with.
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

// The address of a server: the folder of its unix socket, and the port in the socket's name.
struct PostgresAddress {
  std::string host;
  int port = 5432;
  std::string database;

  // The address in libpq's form.
  std::string conninfo() const;
};

// Runs pgbench with the point select of the load, or its insert if `round.call` says so, and
// `round.callers` clients, for the time of `round` in whole seconds. `mode` is pgbench's -M.
absl::StatusOr<RoundResult> RunPgbench(const PostgresAddress& address, const std::string& mode,
                                       const Round& round, const std::string& folder);

// A PgBouncer in front of a server, which ends with this object.
class PgBouncer {
 public:
  // `pool_mode` is PgBouncer's setting ("transaction", "session").
  static absl::StatusOr<std::unique_ptr<PgBouncer>> Start(const PostgresAddress& server,
                                                          const std::string& pool_mode,
                                                          int pool_size);
  const PostgresAddress& address() const { return address_; }

 private:
  testing::TempDir folder_;
  PostgresAddress address_;
  std::unique_ptr<testing::Process> process_;
};

// Measures the rows per second of psql's COPY FROM STDIN. The file with the rows of the bulk insert
// is written first, which is not measured.
absl::StatusOr<RoundResult> RunCopy(const PostgresAddress& address, int64_t rows,
                                    const std::string& folder);

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_POSTGRES_PEERS_H_
