// One configured database at run time: its driver, pools, lanes and threads.
#ifndef PENSTOCK_SERVER_DATABASE_DATABASE_H_
#define PENSTOCK_SERVER_DATABASE_DATABASE_H_

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "server/config/config.h"
#include "server/database/health.h"
#include "server/database/statement_queue.h"
#include "server/metrics/metrics.h"
#include "server/pool/pool.h"
#include "server/runtime/thread_pool.h"

namespace penstock::server {

// Thread-safe.
class Database {
 public:
  // Takes an opened driver. With `log_sql`, the text of a statement that is stuck is
  // logged.
  Database(std::string name, const DatabaseConfig& config, std::unique_ptr<driver::Driver> driver,
           bool log_sql = true);
  // Nothing of it is in use any more.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const std::string& name() const { return name_; }
  const driver::DriverInfo& info() const { return driver_->info(); }
  const DatabaseLimits& limits() const { return limits_; }
  std::string server_version() const { return driver_->server_version(); }
  driver::Capabilities capabilities() const { return driver_->capabilities(); }
  // What the backend tells of itself.
  std::vector<driver::Metric> DriverMetrics() const { return driver_->Metrics(); }
  // What is wrong with it at this moment; empty: nothing. Never blocks.
  std::vector<driver::Problem> Problems() const;
  // How many problems of each kind it has had since the start, those of now included.
  std::map<std::string, int64_t> ProblemCounts() const { return health_.counts(); }
  DatabaseMetrics& metrics() { return metrics_; }
  ThreadPool& thread_pool() { return thread_pool_; }

  // An autocommit statement that may read or write.
  void Submit(PendingRun* run);
  // One that most likely writes; they run in the order of submission where the
  // backend has one writer.
  void SubmitWrite(PendingRun* run);

  // A connection of one's own, for a transaction or for something that is no
  // statement. Where reads are not split off, both lanes are one.
  Pool& pool(driver::Lane lane);
  // The deadline up to which an acquire may wait.
  driver::Deadline AcquireDeadline(const driver::Deadline& request) const;

  // The table of the migration history.
  const std::string& migrations_table() const { return migrations_table_; }
  // See migrations::LockOptions.
  Duration migrations_lease() const { return migrations_lease_; }
  // A connection beside the pool's, which is the caller's: for what must not wait for
  // them. May block.
  absl::StatusOr<std::unique_ptr<driver::Connection>> ConnectApart(
      const driver::Deadline& deadline);
  // One migration at a time works or waits for its lock; the others wait for it
  // without a connection. False: another one is at it. Never blocks.
  bool TryBeginMigration() { return !migrating_.exchange(true); }
  void EndMigration() { migrating_.store(false); }

  void Tick(TimePoint now);

  // See Health::NoteOutcome. Thread-safe.
  void NoteOutcome(const absl::Status& status, TimePoint now) { health_.NoteOutcome(status, now); }

  // By name ("read" and "write", or "all"). Lanes' queues count as waiting.
  std::vector<std::pair<std::string, PoolStats>> Stats() const;

 private:
  class Chore;

  // By name ("read" and "write", or "all").
  std::vector<std::pair<std::string, Pool*>> Pools() const;

  const std::string name_;
  const DatabaseLimits limits_;
  const std::string migrations_table_;
  const Duration migrations_lease_;
  const Duration acquire_timeout_;
  std::atomic<bool> migrating_{false};
  const std::unique_ptr<driver::Driver> driver_;
  DatabaseMetrics metrics_;
  Health health_;
  std::unique_ptr<Pool> write_pool_;
  std::unique_ptr<Pool> read_pool_;  // null: not split
  // After the pools: it runs what uses them.
  ThreadPool thread_pool_;
  std::unique_ptr<StatementQueue> write_queue_;
  std::unique_ptr<StatementQueue> read_queue_;  // null: not split
  std::vector<std::unique_ptr<Chore>> upkeep_;  // maintains the pools, in the order of Pools()
  std::unique_ptr<Chore> examination_;          // null: the driver has no files to look at
  TimePoint next_examination_;                  // the ticker's alone
};

// Every configured database. Immutable after it was opened; thread-safe.
class Databases {
 public:
  // Opens them all. On failure the error names every database that did not
  // open, with its line in the configuration. One whose data is damaged
  // (kCorruption) keeps none of the others from being served: it is logged, and
  // Find answers for it with the error; unless nothing else is there to serve.
  static absl::StatusOr<std::unique_ptr<Databases>> Open(const Config& config);

  // Takes databases that were opened elsewhere: for tests.
  Databases(std::vector<std::unique_ptr<Database>> databases, std::string default_name);

  // Empty: the default. kUnknownDatabase lists the known names; kCorruption: it is
  // damaged, and was not opened.
  absl::StatusOr<Database*> Find(std::string_view name) const;

  const std::map<std::string, std::unique_ptr<Database>, std::less<>>& all() const {
    return databases_;
  }
  const std::string& default_name() const { return default_name_; }
  // Those that were not opened because they are damaged, and why.
  const std::map<std::string, absl::Status, std::less<>>& damaged() const { return damaged_; }

  void Tick(TimePoint now);

  // OK; or UNAVAILABLE with the problems because of which requests fail, a line each.
  absl::Status Ready() const;

 private:
  std::map<std::string, std::unique_ptr<Database>, std::less<>> databases_;
  std::map<std::string, absl::Status, std::less<>> damaged_;
  std::string default_name_;
  Database* default_ = nullptr;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_DATABASE_DATABASE_H_
