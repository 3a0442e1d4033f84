#include "server/database/startup_migrations.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"
#include "server/database/migration_run.h"
#include "server/log/log.h"

namespace penstock::server {
namespace {

// Waits for a lease on this thread, which serves nothing else.
class LeaseWaiter final : public Pool::Waiter {
 public:
  absl::StatusOr<Lease> Acquire(Database* database, driver::Cancellation* cancellation) {
    wait_until = database->AcquireDeadline(driver::Deadline::None());
    transactional = true;
    Pool& pool = database->pool(driver::Lane::kWrite);
    pool.Acquire(this);
    while (!Arrived()) {
      if (cancellation->cancelled() && pool.Forget(this)) return cancellation->status();
    }
    return *std::move(lease_);
  }

  void OnLease(absl::StatusOr<Lease> lease) override {
    const std::lock_guard lock(mutex_);
    lease_ = std::move(lease);
    // This happens under the lock, because the object goes when Acquire returns.
    arrived_.notify_one();
  }

 private:
  // Waits for a moment.
  bool Arrived() {
    std::unique_lock lock(mutex_);
    return arrived_.wait_for(lock, kMigrationLockPause, [this] { return lease_.has_value(); });
  }

  std::mutex mutex_;
  std::condition_variable arrived_;
  std::optional<absl::StatusOr<Lease>> lease_;
};

absl::StatusOr<bool> TryLock(Database* database, MigrationRun* migration,
                             driver::Cancellation* cancellation) {
  absl::StatusOr<Lease> lease = LeaseWaiter().Acquire(database, cancellation);
  if (!lease.ok()) return lease.status();
  return migration->Lock(*std::move(lease));
}

absl::Status TakeLock(Database* database, MigrationRun* migration,
                      driver::Cancellation* cancellation) {
  // Backends often start at the same time as the daemon.
  const TimePoint give_up = database->AcquireDeadline(driver::Deadline::None()).at;
  for (bool said = false;; said = true) {
    if (cancellation->cancelled()) return cancellation->status();
    const absl::StatusOr<bool> locked = TryLock(database, migration, cancellation);
    if (locked.ok() && *locked) return absl::OkStatus();
    const bool down =
        driver::GetErrorInfo(locked.status()).reason == driver::Reason::kConnectionFailed;
    if (!locked.ok() && (!down || Clock::System().Now() >= give_up)) return locked.status();
    if (!said) {
      Log(Level::kInfo, down ? "waiting for the database" : "waiting for another migrator",
          {{"database", database->name()}});
    }
    // Nobody tells when the lock is free, which may be another machine's.
    std::this_thread::sleep_for(kMigrationLockPause);
  }
}

absl::Status Migrate(const std::string& folder, Database* database,
                     driver::Cancellation* cancellation) {
  absl::StatusOr<std::shared_ptr<migrations::Files>> files = migrations::ReadFolder(folder);
  if (!files.ok()) return files.status();
  MigrationSpec spec;
  spec.files = *std::move(files);
  MigrationRun migration(database, std::move(spec), cancellation);
  absl::Status status = migration.Prepare();
  for (const std::string& file : migration.other_files()) {
    Log(Level::kInfo, "not a migration", {{"database", database->name()}, {"file", file}});
  }
  if (status.ok()) status = TakeLock(database, &migration, cancellation);
  if (status.ok()) status = migration.Plan();
  for (size_t i = 0; status.ok() && i < migration.plan().size(); ++i) {
    const TimePoint began = Clock::System().Now();
    if (cancellation->cancelled()) return cancellation->status();
    status = migration.RunStep(i, nullptr);
    LogNotices(database->name(), migration.plan()[i].Title(), migration.TakeNotices());
    if (!status.ok()) break;
    const std::chrono::duration<double, std::milli> took = Clock::System().Now() - began;
    Log(Level::kInfo, "migrated",
        {{"database", database->name()},
         {"step", migration.plan()[i].Title()},
         {"duration_ms", took.count()}});
  }
  return status;
}

}  // namespace

absl::Status MigrateOnStart(const Config& config, Databases* databases,
                            driver::Cancellation* cancellation) {
  for (const auto& [name, database] : config.databases) {
    if (database.migrate_on_start.empty() || databases->damaged().contains(name)) continue;
    absl::StatusOr<Database*> found = databases->Find(name);
    if (!found.ok()) return found.status();
    const absl::Status status = Migrate(database.migrate_on_start, *found, cancellation);
    if (!status.ok()) return driver::Annotate(status, fmt::format("migrating '{}'", name));
  }
  return absl::OkStatus();
}

}  // namespace penstock::server
