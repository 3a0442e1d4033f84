// Runs migrations on one connection.
#ifndef PENSTOCK_MIGRATIONS_MIGRATOR_H_
#define PENSTOCK_MIGRATIONS_MIGRATOR_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "migrations/dialect.h"
#include "migrations/history.h"
#include "migrations/migration_connection.h"
#include "migrations/plan.h"
#include "migrations/source.h"
#include "migrations/splitter.h"

namespace penstock::migrations {

// Called before each statement of a step, with its number from 1 and how many
// there are. Must not block.
using OnStatement = std::function<void(size_t statement, size_t statements)>;

// Takes the lock, makes the plan, and runs one step at a call, so that whoever
// drives it waits in whatever way suits it and talks to its client in between.
//
//   until (TryLock) wait a little;
//   MakePlan, then for each step: RunStep, or BeginCode … EndCode;
//   Unlock, whatever happened
//
// Every call may block. One thread at a time; the connection outlives the migrator.
class Migrator {
 public:
  Migrator(std::unique_ptr<Dialect> dialect, Source source, MigrationConnection* connection);
  // Unlocks.
  ~Migrator();
  Migrator(const Migrator&) = delete;
  Migrator& operator=(const Migrator&) = delete;

  const Source& source() const { return source_; }

  // False: another migrator has the lock.
  absl::StatusOr<bool> TryLock();
  void Unlock();

  // Reads what the database says now. It need not be locked, but then may change.
  absl::StatusOr<History> ReadHistory();

  // See migrations::MakePlan. Creates the history's table, unless `dry_run`; where it is
  // not there, a schema that is not empty is refused (other_tools.h).
  // Without `dry_run` it must be locked, as for everything below.
  absl::StatusOr<std::vector<PlanStep>> MakePlan(const Target& target, bool allow_gaps,
                                                 bool dry_run);

  // Returns the statements that a step runs; none for a code step.
  absl::StatusOr<std::vector<SqlStatement>> Statements(const PlanStep& step) const;

  // Runs a step of the last plan that is no code. A transactional one commits
  // together with its row or leaves nothing. Of another one the row says how far
  // it came. A step of one statement which the backend then refuses in a transaction is
  // run without. Errors name the file, the line of the error and the number of the
  // statement, and have the backend's particulars. The row that was written is returned.
  absl::StatusOr<HistoryRow> RunStep(const PlanStep& step, const OnStatement& on_statement);

  // Opens the transaction of a code step. Until EndCode the connection belongs to
  // the caller.
  absl::Status BeginCode(const PlanStep& step);
  // Commits it with its row if `outcome` is OK, else rolls it back and returns
  // `outcome` with the step's name.
  absl::StatusOr<HistoryRow> EndCode(const PlanStep& step, const absl::Status& outcome);

  // See MakeBaseline, ReadOtherTool and MakeRepair. They return what was written, which is
  // all or nothing. A repair that would take an invalid index for done is refused.
  absl::StatusOr<std::vector<HistoryRow>> Baseline(uint64_t version);
  absl::StatusOr<std::vector<HistoryRow>> Adopt();
  absl::StatusOr<std::vector<HistoryRow>> Repair(const std::vector<migrations::Repair>& repairs);

 private:
  HistoryRow RowFor(const PlanStep& step) const;
  absl::Status RunLoaded(const PlanStep& step, const OnStatement& on_statement, HistoryRow* row);
  // In a transaction, again if others were in the way.
  absl::Status Repeat(const PlanStep& step, const OnStatement& on_statement, HistoryRow* row);
  absl::Status RunInTransaction(const PlanStep& step, const OnStatement& on_statement,
                                HistoryRow* row);
  absl::Status RunOneByOne(const PlanStep& step, const OnStatement& on_statement, HistoryRow* row);
  absl::Status RunStatement(size_t index, const OnStatement& on_statement);
  // Adds to the error where it went wrong: the line is that of the position if the backend tells
  // one.
  absl::Status InStatement(const absl::Status& status, const PlanStep& step, size_t index) const;
  // Writes the row of a step without a transaction as the migrator, and goes on as whoever
  // its statements have made the session.
  absl::Status Note(const PlanStep& step, HistoryRow* row);
  // The history, which is made if it is not there.
  absl::StatusOr<History> OpenHistory();
  absl::Status CheckRepair(const History& history, const HistoryRow& row);
  // In one transaction.
  absl::StatusOr<std::vector<HistoryRow>> WriteAll(std::vector<HistoryRow> rows);
  absl::Status CommitWithRow(const PlanStep& step, HistoryRow* row);
  // Adds the row if it has no id, which it then gets, and replaces it otherwise. Done
  // again if others were in the way and no transaction is open.
  absl::Status Write(HistoryRow* row);
  // The row was to be inserted, with this outcome.
  absl::Status Inserted(const absl::Status& status, HistoryRow* row);
  void Stamp(HistoryRow* row) const;

  const std::unique_ptr<Dialect> dialect_;
  const Source source_;
  MigrationConnection* const connection_;
  // Those of the step that runs.
  std::vector<SqlStatement> statements_;
  bool locked_ = false;
  int64_t next_id_ = 1;
  driver::TimePoint began_;
};

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_MIGRATOR_H_
