// One migration of a database, from its files to its end.
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

// What is to be done.
struct MigrationSpec {
  enum class Action : uint8_t { kMigrate, kBaseline, kRepair, kAdopt, kStatus };
  Action action = Action::kMigrate;
  migrations::Target target;
  std::vector<migrations::Repair> repairs;
  uint64_t baseline = 0;
  // Nothing is changed and nothing locked; so it is for kStatus.
  bool dry_run = false;
  bool allow_gaps = false;
  // Of each statement; 0: none.
  Duration statement_timeout{};
  // Of everything.
  driver::Deadline deadline;
  // Not null.
  std::shared_ptr<migrations::Files> files = std::make_shared<migrations::Files>();
  std::vector<migrations::CodeStep> code_steps;
};

// How long to wait between two attempts to take the lock.
inline constexpr Duration kMigrationLockPause = std::chrono::milliseconds(100);

// The files of `folder`, a relative path, below `root`. kNotAllowed without a root,
// or for a path that leads out of it, through a symbolic link for example.
absl::StatusOr<std::shared_ptr<migrations::Files>> ReadFolderBelow(const std::string& root,
                                                                   const std::string& folder);

// Drives a Migrator with a lease of the database's pool for writing. Every call
// may block and belongs on a worker thread; one thread at a time.
class MigrationRun {
 public:
  // Both outlive it; `cancellation` may be null.
  MigrationRun(Database* database, MigrationSpec spec, driver::Cancellation* cancellation);
  ~MigrationRun() { End(); }
  MigrationRun(const MigrationRun&) = delete;
  MigrationRun& operator=(const MigrationRun&) = delete;

  const MigrationSpec& spec() const { return spec_; }

  // Reads the files. Nothing of the database is needed for that.
  absl::Status Prepare();
  // Files that are no migrations, each with the reason (see migrations::ReadSource).
  const std::vector<std::string>& other_files() const { return other_files_; }

  // Takes the lock (none for a dry run) and keeps the lease. False: another
  // migrator has it; the lease was given back, so try again after
  // kMigrationLockPause with another one.
  absl::StatusOr<bool> Lock(Lease lease);

  // Locked, for kMigrate: what will be done.
  absl::Status Plan();
  const std::vector<migrations::PlanStep>& plan() const { return plan_; }
  absl::Status RunStep(size_t index, const migrations::OnStatement& on_statement);
  // What the backend has said while the steps ran, since it was last asked.
  driver::Summary TakeNotices() { return session_.TakeNotices(); }

  // Of a code step: opens the transaction and hands the connection out, until it is
  // given back; EndCode then commits if `outcome` is OK.
  absl::StatusOr<Lease> BeginCode(size_t index);
  void TakeBack(Lease lease) { lease_ = std::move(lease); }
  absl::Status EndCode(size_t index, const absl::Status& outcome);

  // Locked, for kBaseline, kAdopt and kRepair: what was written.
  absl::StatusOr<std::vector<migrations::HistoryRow>> Record();

  // The highest version that is applied now.
  absl::StatusOr<uint64_t> Version();

  // After Lock, for kStatus.
  migrations::Migrator& migrator() { return *migrator_; }

  // Gives lock and lease back.
  void End();

 private:
  Database* const database_;
  MigrationSpec spec_;
  migrations::Session session_;
  Lease lease_;
  std::unique_ptr<migrations::Migrator> migrator_;
  std::vector<migrations::PlanStep> plan_;
  std::vector<std::string> other_files_;
};

// Writes into the log what a backend has said while a step ran.
void LogNotices(const std::string& database, const std::string& step, const driver::Summary& said);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_DATABASE_MIGRATION_RUN_H_
