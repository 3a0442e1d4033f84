// Changing a database's schema step by step, see Provider::Migrate.
//
// A migration is a pair of files, 0001_create_users.up.sql and .down.sql, in a
// folder of the caller's: they are read here and sent to the daemon, a part at a time.
// 0001_create_users.up.sqlite.sql is for one driver alone, and a file
// 0001_create_users.sql with the markers of goose, dbmate or sql-migrate has both directions.
// A version is a number from 0 to 2^64-1. Which steps have been
// applied is in a table of the database, penstock_migrations unless the daemon is
// configured otherwise.
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

// A step of a plan: one migration, up or down.
struct MigrationStep {
  uint64_t version = 0;
  // "create_users".
  std::string name = {};
  bool down = false;
  // "0001_create_users.up.sql".
  std::string file = {};
  // All or nothing. Otherwise its statements are committed one by one, and the
  // history records how far it came.
  bool transactional = true;
  // Where a step that had stopped in the middle goes on, from 1.
  int64_t first_statement = 1;
  // The SQL; in a dry run only.
  std::vector<std::string> statements = {};
  // Foreign keys are off in it (SQLite).
  bool foreign_keys_off = false;
};

// What goes on during a migration.
struct MigrationEvent {
  enum class Kind {
    kWaiting,   // another migrator is at work; about every second
    kPlan,      // `plan` is what will be done
    kStarted,   // `step` begins
    kProgress,  // `step` still runs; about every second
    kDone,      // `step` has ended well
  };
  Kind kind = Kind::kWaiting;
  // Of kPlan: the steps, and the files ending in ".sql" that are no migrations, each with
  // the reason.
  std::vector<MigrationStep> plan = {};
  std::vector<std::string> other_files = {};
  // The index in the plan.
  int step = 0;
  // Which statement of the step runs, from 1, and how many it has.
  int64_t statement = 0;
  int64_t statements = 0;
  // Since the wait or the step began.
  absl::Duration elapsed = {};
  // Of kDone: what the backend said while the step ran.
  Notices notices = {};
};

class Transaction;

// A migration that is a function of the program: it takes its turn among the files
// by its version. It works on a transaction that the daemon has opened and that is
// committed, together with its row of the history, when it returns OK; otherwise it is
// rolled back and the migration ends with the error. (Commit and Rollback of the
// transaction are refused.) It is called from the thread that called Migrate, at
// most once a call.
struct CodeMigration {
  uint64_t version = 0;
  // What the history calls it.
  std::string name = {};
  std::function<absl::Status(Transaction*)> up = {};
  // May be empty: then it cannot be taken back.
  std::function<absl::Status(Transaction*)> down = {};
};

// What to do.
struct MigrateOptions {
  enum class Action {
    kUp,        // `steps` pending ones; 0: all
    kDown,      // the last `steps` applied ones; 0: all
    kTo,        // up or down until `version` is the last that is applied; 0: none is,
                // unless there is a version 0
    kBaseline,  // an existing database's history begins with `version`; nothing runs
    kAdopt,     // likewise with what another tool's table in the database says is applied
    // After a step without a transaction has stopped in the middle:
    kMarkApplied,     // `version` is applied; also accepts a file that was changed
    kMarkNotApplied,  // nothing of `version` is there
    kResume,          // the next run goes on with `statement` (0: the same again)
  };
  Action action = Action::kUp;
  int64_t steps = 0;
  uint64_t version = 0;
  // Of kMarkApplied, kMarkNotApplied and kResume: further ones. All are recorded or none.
  std::vector<uint64_t> more_versions = {};
  int64_t statement = 0;
  // The plan with its SQL, and nothing else.
  bool dry_run = false;
  // Apply versions below the last applied one, too; else they are refused.
  bool allow_gaps = false;
  // Of each statement. The database's query_timeout does not count here.
  absl::Duration statement_timeout = absl::InfiniteDuration();
  // How long to wait for another migrator.
  absl::Duration lock_timeout = absl::Seconds(60);
  // Beside the folder's files, for which `path` may be empty.
  std::vector<CodeMigration> code = {};
  // Called from the calling thread; may be empty.
  std::function<void(const MigrationEvent&)> on_event = {};
};

// A row of the history.
struct MigrationRecord {
  uint64_t version = 0;
  std::string name = {};
  // SHA-256 of the `up` file, in hexadecimal.
  std::string checksum = {};
  bool down = false;
  // "done", "running", "failed" or "resume".
  std::string state = {};
  // If it is not done: the statement concerned, from 1.
  int64_t statement = 0;
  // The error of one that failed; "code" of a CodeMigration; "baseline", "repair" or
  // "adopted from …" where nothing was run.
  std::string note = {};
  absl::Time applied_at = {};
  absl::Duration duration = {};
};

// What was done.
struct MigrateResult {
  std::vector<MigrationStep> plan = {};
  // How many of them were run.
  int steps = 0;
  // The highest version that is applied; 0: none, or that one.
  uint64_t version = 0;
  // What kBaseline, kAdopt and the repairs have written.
  std::vector<MigrationRecord> records = {};
};

// How a migration's files and the history compare.
struct MigrationStatus {
  enum class State {
    kApplied,
    kPending,
    kGap,         // not applied, although a later one is
    kChanged,     // the file has changed since it was applied
    kMissing,     // applied, and the file is not there
    kNewer,       // applied by a newer release: above all files
    kUnfinished,  // stopped in the middle, and to be repaired
    kResuming,    // goes on at the next run
  };
  uint64_t version = 0;
  std::string name = {};
  State state = State::kApplied;
  // Empty if there is none.
  std::string file = {};
  bool has_down = false;
  // Unless it is pending; then its state is empty.
  MigrationRecord record = {};
  // It is a CodeMigration, which has no file.
  bool is_code = false;
};

// The state of a database.
struct MigrationReport {
  // The highest version that is applied; 0: none, or that one.
  uint64_t version = 0;
  // By version.
  std::vector<MigrationStatus> migrations = {};
  // In the order in which it happened.
  std::vector<MigrationRecord> history = {};
  // Files ending in ".sql" that are no migrations, each with the reason.
  std::vector<std::string> other_files = {};
  // What applying the pending ones would be refused with; OK: it would run.
  absl::Status refusal = {};
};

}  // namespace penstock

#endif  // PENSTOCK_MIGRATE_H_
