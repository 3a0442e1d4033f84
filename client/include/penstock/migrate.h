// Changes a database's schema step by step; see Provider::Migrate.
//
// A migration is a pair of files, 0001_create_users.up.sql and 0001_create_users.down.sql, in a
// folder on the client's machine. The library reads the files and sends them to the daemon, one
// part at a time. 0001_create_users.up.sqlite.sql is for one driver alone. A file
// 0001_create_users.sql with the markers of goose, dbmate or sql-migrate has both directions.
// A version is a number from 0 to 2^64-1. The database records which steps have been applied in
// its history, a table named penstock_migrations unless the daemon's configuration names another.
#ifndef PENSTOCK_MIGRATE_H_
#define PENSTOCK_MIGRATE_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "penstock/rows.h"

namespace penstock {

// One step of a plan: one migration, up or down.
struct MigrationStep {
  uint64_t version = 0;
  // For example "create_users".
  std::string name = {};
  bool down = false;
  // For example "0001_create_users.up.sql".
  std::string file = {};
  // True if the step runs in one transaction. Otherwise its statements are committed one by one,
  // and the history records how many have been run.
  bool transactional = true;
  // The first statement that runs, from 1. It is above 1 for a step that stopped in the middle.
  int64_t first_statement = 1;
  // The SQL of the step; filled in by a dry run only.
  std::vector<std::string> statements = {};
  // True if foreign keys are not enforced while the step runs (SQLite).
  bool foreign_keys_off = false;
};

// Reports the progress of a migration.
struct MigrationEvent {
  enum class Kind {
    kWaiting,   // another migrator holds the lock; sent about every second
    kPlan,      // `plan` is what will be done
    kStarted,   // `step` begins
    kProgress,  // `step` is still running; sent about every second
    kDone,      // `step` has succeeded
  };
  Kind kind = Kind::kWaiting;
  // Set in kPlan: the steps, and the files ending in ".sql" that are not migrations, each with
  // the reason.
  std::vector<MigrationStep> plan = {};
  std::vector<std::string> other_files = {};
  // The index of the step in the plan.
  int step = 0;
  // The number of the statement that runs, from 1, and how many statements the step has.
  int64_t statement = 0;
  int64_t statements = 0;
  // The time since the wait or the step began.
  absl::Duration elapsed = {};
  // Set in kDone: the backend's notices while the step ran.
  Notices notices = {};
};

class Transaction;

// A migration that is a function of the program. Its version orders it among the files. The
// function works on a transaction that the daemon has opened. When it returns OK the daemon
// commits the transaction together with the step's row in the history; otherwise the transaction
// is rolled back and Migrate returns the error. The function must not call Commit or Rollback,
// which are refused. It is called on the thread that called Migrate, at most once for each call.
struct CodeMigration {
  uint64_t version = 0;
  // The name in the history.
  std::string name = {};
  std::function<absl::Status(Transaction*)> up = {};
  // May be empty; the migration can then not be undone.
  std::function<absl::Status(Transaction*)> down = {};
};

// What Migrate is to do.
struct MigrateOptions {
  enum class Action {
    kUp,        // apply the next `steps` pending migrations; 0 means all
    kDown,      // undo the last `steps` applied migrations; 0 means all
    kTo,        // go up or down until `version` is the last one applied; 0 means that none is,
                // unless there is a version 0
    kBaseline,  // begin the history of an existing database with `version`; nothing runs
    kAdopt,     // begin the history with what another tool's table says is applied
    // Repairs after a step without a transaction has stopped in the middle:
    kMarkApplied,     // record `version` as applied; also accepts a file that was changed
    kMarkNotApplied,  // record that nothing of `version` has been applied
    kResume,          // continue the next run with `statement` (0 means the one that failed)
  };
  Action action = Action::kUp;
  int64_t steps = 0;
  uint64_t version = 0;
  // Further versions for kMarkApplied, kMarkNotApplied and kResume. All are recorded or none.
  std::vector<uint64_t> more_versions = {};
  int64_t statement = 0;
  // Returns the plan with its SQL and changes nothing.
  bool dry_run = false;
  // Also applies versions below the last applied one, which are refused otherwise.
  bool allow_gaps = false;
  // The limit for each statement. The database's query_timeout does not apply to migrations.
  absl::Duration statement_timeout = absl::InfiniteDuration();
  // How long to wait for another migrator to finish.
  absl::Duration lock_timeout = absl::Seconds(60);
  // Migrations in addition to the folder's files. With them `path` may be empty.
  std::vector<CodeMigration> code = {};
  // Called on the thread that called Migrate; may be empty.
  std::function<void(const MigrationEvent&)> on_event = {};
};

// One row of the history.
struct MigrationRecord {
  uint64_t version = 0;
  std::string name = {};
  // SHA-256 of the `up` file, in hexadecimal.
  std::string checksum = {};
  bool down = false;
  // "done", "running", "failed" or "resume".
  std::string state = {};
  // If `state` is not "done": the number of the statement concerned, from 1.
  int64_t statement = 0;
  // The error of a failed step; "code" for a CodeMigration; "baseline", "repair" or "adopted from
  // …" for a row that was written without running anything.
  std::string note = {};
  absl::Time applied_at = {};
  absl::Duration duration = {};
};

// What Migrate has done.
struct MigrateResult {
  std::vector<MigrationStep> plan = {};
  // How many steps of the plan were run.
  int steps = 0;
  // The highest version that is applied; 0 if none is, or if that is version 0.
  uint64_t version = 0;
  // The rows of the history that kBaseline, kAdopt and the repairs have written.
  std::vector<MigrationRecord> records = {};
};

// Compares one migration's files with the history.
struct MigrationStatus {
  enum class State {
    kApplied,
    kPending,
    kGap,         // not applied, although a later version is
    kChanged,     // the file has changed since it was applied
    kMissing,     // applied, but the file does not exist
    kNewer,       // applied by a newer release: the version is above those of all files
    kUnfinished,  // stopped in the middle and needs a repair
    kResuming,    // continues with the next run
  };
  uint64_t version = 0;
  std::string name = {};
  State state = State::kApplied;
  // The name of the `up` file; empty if there is none.
  std::string file = {};
  bool has_down = false;
  // The last row of the history for this version. Its `state` is empty if there is none.
  MigrationRecord record = {};
  // True for a CodeMigration, which has no file.
  bool is_code = false;
};

// The state of a database's schema.
struct MigrationReport {
  // The highest version that is applied; 0 if none is, or if that is version 0.
  uint64_t version = 0;
  // Sorted by version.
  std::vector<MigrationStatus> migrations = {};
  // In the order in which the rows were written.
  std::vector<MigrationRecord> history = {};
  // The files ending in ".sql" that are not migrations, each with the reason.
  std::vector<std::string> other_files = {};
  // The error that applying the pending migrations would be refused with; OK if they would run.
  absl::Status refusal = {};
};

}  // namespace penstock

#endif  // PENSTOCK_MIGRATE_H_
