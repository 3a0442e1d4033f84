// Logs and counts the problems of a database when they begin and when they end.
#ifndef PENSTOCK_SERVER_DATABASE_HEALTH_H_
#define PENSTOCK_SERVER_DATABASE_HEALTH_H_

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "drivers/api/health.h"
#include "server/pool/call_monitor.h"
#include "server/pool/pool.h"
#include "server/runtime/clock.h"

namespace penstock::server {

// Follows the problems of one database. Thread-safe.
class Health {
 public:
  // `database` and `driver` are names for the log. With `log_sql` it shows the text of a stuck
  // statement, as that of a slow one.
  Health(std::string database, std::string driver, bool log_sql);

  // Takes the problems of this moment. Logs those that have begun and those that are over.
  void Update(const std::vector<driver::Problem>& problems, TimePoint now);
  // Logs that calls of the pool `pool` have become stuck or have come back.
  void Note(const std::string& pool, const std::vector<StuckCall>& calls) const;

  // Takes the outcome of a statement. Logs, at most once a minute, that the disk is full: each
  // writer is told, but the log has one line.
  void NoteOutcome(const absl::Status& status, TimePoint now);

  // Counts the problems of each kind that have begun.
  std::map<std::string, int64_t> counts() const;

 private:
  const std::string database_;
  const std::string driver_;
  const bool log_sql_;
  mutable std::mutex mutex_;
  // The kinds of problem that last, and when each began.
  std::map<std::string, TimePoint> lasting_;
  std::map<std::string, int64_t> counts_;
  TimePoint disk_full_told_{};
};

// Returns a problem if the pool with these figures can make no connections.
std::vector<driver::Problem> ConnectProblems(const PoolStats& stats);

// Returns a problem if stuck calls hold connections of the pool, whose name is "read", "write" or
// "all"; it says whether callers are still served.
std::vector<driver::Problem> StuckProblems(const std::string& pool, const PoolStats& stats,
                                           const Pool::Options& options);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_DATABASE_HEALTH_H_
