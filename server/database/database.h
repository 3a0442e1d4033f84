// One configured database at run time: its driver, pools, statement queues and threads.
#ifndef PENSTOCK_SERVER_DATABASE_DATABASE_H_
#define PENSTOCK_SERVER_DATABASE_DATABASE_H_

#include <atomic>
#include <map>
#include <memory>
#include <span>
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
  // Takes an opened driver. With `log_sql`, the log shows the text of a statement that is stuck.
  Database(std::string name, const DatabaseConfig& config, std::unique_ptr<driver::Driver> driver,
           bool log_sql = true);
  // The caller has stopped using it.
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  const std::string& name() const { return name_; }
  const driver::DriverInfo& info() const { return driver_->info(); }
  const DatabaseLimits& limits() const { return limits_; }
  // The settings of the session that calls may carry, and those that each call has.
  const SettingsConfig& settings() const { return settings_; }
  std::string server_version() const { return driver_->server_version(); }
  driver::Capabilities capabilities() const { return driver_->capabilities(); }
  // Returns the backend's own metrics.
  std::vector<driver::Metric> DriverMetrics() const { return driver_->Metrics(); }
  // Returns the problems that the database has at this moment. Never blocks.
  std::vector<driver::Problem> Problems() const;
  // Counts the problems of each kind since the start, including those of now.
  std::map<std::string, int64_t> ProblemCounts() const { return health_.counts(); }
  DatabaseMetrics& metrics() { return metrics_; }
  ThreadPool& thread_pool() { return thread_pool_; }

  // Runs an autocommit statement that may read or write.
  void Submit(PendingRun* run);
  // Runs one that most likely writes. Where the backend has one writer, such statements run in the
  // order of submission.
  void SubmitWrite(PendingRun* run);
  // Runs several that came together, with `writes` as by SubmitWrite and else as by Submit.
  void SubmitMany(std::span<PendingRun* const> runs, bool writes);

  // The pool of connections for a transaction, or for something that is no statement. Where reads
  // are not split off, both pools are one.
  Pool& pool(driver::Lane lane);
  // Returns the deadline up to which an acquire may wait.
  driver::Deadline AcquireDeadline(const driver::Deadline& request) const;

  // The table of the migration history.
  const std::string& migrations_table() const { return migrations_table_; }
  // See migrations::LockOptions.
  Duration migrations_lease() const { return migrations_lease_; }
  // Opens a connection beside the pools, which the caller owns, for work that must not wait for
  // them. May block.
  absl::StatusOr<std::unique_ptr<driver::Connection>> ConnectApart(
      const driver::Deadline& deadline);
  // Begins the one migration that works or waits for its lock; others wait for it without a
  // connection. Returns false if another one has begun. Never blocks.
  bool TryBeginMigration() { return !migrating_.exchange(true); }
  void EndMigration() { migrating_.store(false); }

  void Tick(TimePoint now);

  // See Health::NoteOutcome. Thread-safe.
  void NoteOutcome(const absl::Status& status, TimePoint now) { health_.NoteOutcome(status, now); }

  // Returns each pool's figures by its name ("read" and "write", or "all"). Queued statements
  // count as waiting.
  std::vector<std::pair<std::string, PoolStats>> Stats() const;

 private:
  class Chore;

  // Returns the pools by name ("read" and "write", or "all").
  std::vector<std::pair<std::string, Pool*>> Pools() const;

  const std::string name_;
  const DatabaseLimits limits_;
  const SettingsConfig settings_;
  const std::string migrations_table_;
  const Duration migrations_lease_;
  const Duration acquire_timeout_;
  std::atomic<bool> migrating_{false};
  const std::unique_ptr<driver::Driver> driver_;
  DatabaseMetrics metrics_;
  Health health_;
  std::unique_ptr<Pool> write_pool_;
  std::unique_ptr<Pool> read_pool_;  // null: not split
  // Stands after the pools, which its tasks use.
  ThreadPool thread_pool_;
  std::unique_ptr<StatementQueue> write_queue_;
  std::unique_ptr<StatementQueue> read_queue_;  // null: not split
  std::vector<std::unique_ptr<Chore>> upkeep_;  // maintains the pools, in the order of Pools()
  std::unique_ptr<Chore> examination_;          // null: the driver has no files to look at
  TimePoint next_examination_;                  // the ticker's alone
};

// Every configured database. Immutable once opened; thread-safe.
class Databases {
 public:
  // Opens every database. On failure the error names each database that did not open, with its line
  // in the configuration. A database whose data is damaged (kCorruption) does not keep the others
  // from being served: it is logged, and Find answers for it with the error. If nothing else is
  // there to serve, Open fails.
  static absl::StatusOr<std::unique_ptr<Databases>> Open(const Config& config);

  // Takes databases that were opened elsewhere, in tests.
  Databases(std::vector<std::unique_ptr<Database>> databases, std::string default_name);

  // Finds a database by its name; an empty name is the default. Fails with kUnknownDatabase, which
  // lists the known names, or with kCorruption for a damaged database that was not opened.
  absl::StatusOr<Database*> Find(std::string_view name) const;

  const std::map<std::string, std::unique_ptr<Database>, std::less<>>& all() const {
    return databases_;
  }
  const std::string& default_name() const { return default_name_; }
  // The databases that were not opened because they are damaged, with the error of each.
  const std::map<std::string, absl::Status, std::less<>>& damaged() const { return damaged_; }

  void Tick(TimePoint now);

  // Returns OK, or UNAVAILABLE with a line for each problem because of which requests fail.
  absl::Status Ready() const;

 private:
  std::map<std::string, std::unique_ptr<Database>, std::less<>> databases_;
  std::map<std::string, absl::Status, std::less<>> damaged_;
  std::string default_name_;
  Database* default_ = nullptr;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_DATABASE_DATABASE_H_
