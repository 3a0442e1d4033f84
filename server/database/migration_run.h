// One run of a database's migrations, from its files to its end.
#ifndef PENSTOCK_SERVER_DATABASE_MIGRATION_RUN_H_
#define PENSTOCK_SERVER_DATABASE_MIGRATION_RUN_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "migrations/migrator.h"
#include "server/database/database.h"
#include "server/pool/pool.h"

namespace penstock::server {

// A request to migrate.
struct MigrationSpec {
  enum class Action : uint8_t { kMigrate, kBaseline, kRepair, kAdopt, kStatus };
  Action action = Action::kMigrate;
  migrations::Target target;
  std::vector<migrations::Repair> repairs;
  uint64_t baseline = 0;
  // A dry run changes nothing and takes no lock; kStatus is one.
  bool dry_run = false;
  bool allow_gaps = false;
  // The time limit of each statement; 0 is none.
  Duration statement_timeout{};
  // The deadline of the whole run.
  driver::Deadline deadline;
  std::shared_ptr<migrations::Files> files = std::make_shared<migrations::Files>();
  std::vector<migrations::CodeStep> code_steps;
};

// The pause between two attempts to take the lock.
inline constexpr Duration kMigrationLockPause = std::chrono::milliseconds(100);

// Reads the files of `folder`, a relative path, below `root`. Fails with kNotAllowed if there is no
// root, or if the path leads out of it, for example through a symbolic link.
absl::StatusOr<std::shared_ptr<migrations::Files>> ReadFolderBelow(const std::string& root,
                                                                   const std::string& folder);

// Drives a Migrator with a lease of the database's pool for writing. Every function may block and
// belongs on a worker thread; one thread at a time.
class MigrationRun {
 public:
  // `database` and `cancellation`, which may be null, outlive the run.
  MigrationRun(Database* database, MigrationSpec spec, driver::Cancellation* cancellation);
  ~MigrationRun() { End(); }
  MigrationRun(const MigrationRun&) = delete;
  MigrationRun& operator=(const MigrationRun&) = delete;

  const MigrationSpec& spec() const { return spec_; }

  // Reads the files; needs nothing of the database.
  absl::Status Prepare();
  // The files that are no migrations, each with the reason (see migrations::ReadSource).
  const std::vector<std::string>& other_files() const { return other_files_; }

  // Takes the lock (none for a dry run) and keeps the lease. Returns false if another migrator has
  // the lock: the lease was given back, and the caller tries again after kMigrationLockPause with
  // another one.
  absl::StatusOr<bool> Lock(Lease lease);

  // Plans the steps of a kMigrate run that has the lock.
  absl::Status Plan();
  const std::vector<migrations::PlanStep>& plan() const { return plan_; }
  absl::Status RunStep(size_t index, const migrations::OnStatement& on_statement);
  // Takes the notices that the backend sent while the steps ran.
  driver::Summary TakeNotices() { return connection_.TakeNotices(); }

  // Opens the transaction of a code step and hands the connection out until TakeBack. EndCode then
  // commits if `outcome` is OK.
  absl::StatusOr<Lease> BeginCode(size_t index);
  void TakeBack(Lease lease) { lease_ = std::move(lease); }
  absl::Status EndCode(size_t index, const absl::Status& outcome);

  // Writes the records of a kBaseline, kAdopt or kRepair run that has the lock, and returns them.
  absl::StatusOr<std::vector<migrations::HistoryRow>> Record();

  // Returns the highest version that is applied now.
  absl::StatusOr<uint64_t> Version();

  // Returns the migrator of a kStatus run; to be called after Lock.
  migrations::Migrator& migrator() { return *migrator_; }

  // Gives lock and lease back.
  void End();

 private:
  Database* const database_;
  MigrationSpec spec_;
  migrations::MigrationConnection connection_;
  Lease lease_;
  std::unique_ptr<migrations::Migrator> migrator_;
  std::vector<migrations::PlanStep> plan_;
  std::vector<std::string> other_files_;
};

// Logs the notices that a backend sent while a step ran.
void LogNotices(const std::string& database, const std::string& step, const driver::Summary& said);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_DATABASE_MIGRATION_RUN_H_
