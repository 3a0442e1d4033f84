// RunBatch: reads that share a snapshot, writes that share a commit.
#include <sqlite3.h>

#include <algorithm>
#include <chrono>

#include "drivers/api/chain.h"
#include "drivers/api/error.h"
#include "drivers/api/only_read.h"
#include "drivers/sqlite/connection.h"
#include "drivers/sqlite_engine/error.h"

namespace penstock::sqlite {
namespace {

using driver::Deadline;
using driver::StatementRun;

// A group is repeated without the statement that made SQLite roll it back so
// often; after that its statements have a transaction each.
constexpr int kGroupAttempts = 4;

// The statements of a batch of reads that takes longer are not run together again.
constexpr auto kBriskTime = std::chrono::milliseconds(3);

// The chain of a run that has just failed as the first of it; else null.
driver::Chain* NewlyFailed(const StatementRun& run) {
  return run.status.ok() || run.chain == nullptr || run.chain->failed ? nullptr : run.chain;
}

// When nobody in the group waits any more.
Deadline LatestDeadline(std::span<StatementRun* const> runs) {
  const auto latest = std::max_element(
      runs.begin(), runs.end(),
      [](const StatementRun* a, const StatementRun* b) { return a->deadline.at < b->deadline.at; });
  return (*latest)->deadline;
}

}  // namespace

size_t Connection::Together(Runs runs) {
  // Writes share a commit, and have one connection only. A read that never ends
  // must not have others behind it that could run beside it.
  if (lane_ == driver::Lane::kWrite) return runs.size();
  size_t count = 0;
  for (; count < runs.size(); ++count) {
    const Statement* statement = session_->statements.Peek(runs[count]->sql);
    if (statement == nullptr || !statement->brisk()) break;
  }
  return count;
}

void Connection::NoteTime(Runs runs, driver::Duration took) {
  const bool brisk = took < kBriskTime;
  // If several were brisk together, each of them was.
  if (runs.size() > 1 && brisk) return;
  for (const StatementRun* run : runs) {
    Statement* statement = session_->statements.Peek(run->sql);
    if (statement != nullptr) statement->set_brisk(brisk && run->cursor == nullptr);
  }
}

size_t Connection::RunBatch(Runs runs) {
  return lane_ == driver::Lane::kRead ? RunReads(runs) : RunWrites(runs);
}

size_t Connection::RunReads(Runs runs) {
  // One snapshot for all of them: each was asked for before it was taken, so
  // none sees less than it may, and the file's locks are taken once.
  const bool shared = runs.size() > 1 && Control("BEGIN").ok();
  const driver::TimePoint began = std::chrono::steady_clock::now();
  size_t done = 0;
  for (StatementRun* run : runs) {
    ++done;
    ForgetSession();
    Statement* statement = Start(run);
    if (statement != nullptr) {
      if (run->prepare_only) {
        run->status = statement->CheckCount(run->args.size());
      } else if (!statement->read_only()) {
        run->wrong_lane = true;
      } else if (run->rows.empty()) {
        ExecuteFirstBatch(run, statement);
        if (run->must_only_read) run->status = driver::AsMayOnlyRead(run->status);
      } else {
        Execute(run, statement);
      }
    }
    NoteFailure(*run);
    if (run->cursor != nullptr) break;
  }
  // An open cursor keeps the snapshot beyond this.
  if (shared && !rolled_back()) Control("COMMIT").IgnoreError();
  NoteTime(runs.first(done), std::chrono::steady_clock::now() - began);
  return done;
}

size_t Connection::RunWrites(Runs runs) {
  for (size_t done = 0; done < runs.size();) {
    const Runs left = runs.subspan(done);
    if (left.size() > 1) done += RunGroup(left);
    // Only a statement may be left now that must not be in a group.
    if (done == runs.size()) break;
    RunByItself(runs[done]);
    ++done;
  }
  return runs.size();
}

size_t Connection::RunGroup(Runs runs) {
  group_.assign(runs.begin(), runs.end());
  failed_chains_.clear();
  for (int attempt = 0; attempt < kGroupAttempts && !group_.empty(); ++attempt) {
    absl::Status begun;
    {
      const Deadline deadline = LatestDeadline(group_);
      const Watch watch(executor(), deadline, nullptr);
      begun = Control("BEGIN IMMEDIATE");
    }
    if (!begun.ok()) {
      FailGroup(group_, begun);
      return runs.size();
    }
    Turn turn = Turn::kTaken;
    auto next = group_.begin();
    for (; next != group_.end(); ++next) {
      turn = RunInGroup(*next);
      if (turn != Turn::kTaken) break;
    }
    if (turn != Turn::kRolledBack) {
      CommitGroup(Runs(group_.begin(), next));
      // Whatever left the group did so in front of `next`.
      return runs.size() - static_cast<size_t>(group_.end() - next);
    }
    // The others start again, as if it had not been there; its failure is final.
    UnmarkChains();
    NoteFailure(**next);
    group_.erase(next);
  }
  for (StatementRun* run : group_) RunByItself(run);
  return runs.size();
}

Connection::Turn Connection::RunInGroup(StatementRun* run) {
  ForgetSession();
  Statement* statement = Start(run);
  if (statement != nullptr) {
    if (statement->runs_alone()) return Turn::kRunsAlone;
    const bool writes = !statement->read_only();
    if (writes) run->status = BeginGuard();
    if (run->status.ok()) {
      Execute(run, statement);
      if (writes) {
        CheckDeferred(&run->status);
        EndGuard(&run->status);
      }
    }
    if (!run->status.ok()) run->summary = {};
  }
  if (driver::Chain* chain = NewlyFailed(*run)) {
    chain->failed = true;
    failed_chains_.push_back(chain);
  }
  return rolled_back() ? Turn::kRolledBack : Turn::kTaken;
}

void Connection::CheckDeferred(absl::Status* status) {
  // A foreign key that is checked at commit is checked after each statement
  // here: each is a transaction as its caller sees it, and the commit is the
  // whole group's.
  int violated = 0;
  int highest = 0;
  sqlite3_db_status(db(), SQLITE_DBSTATUS_DEFERRED_FKS, &violated, &highest, 0);
  if (violated == 0) return;
  status->Update(
      sqlite_engine::Classify(SQLITE_CONSTRAINT_FOREIGNKEY, "FOREIGN KEY constraint failed"));
}

void Connection::CommitGroup(Runs group) {
  const absl::Status committed = ControlCommit();
  if (committed.ok()) return;
  if (!rolled_back()) Control("ROLLBACK").IgnoreError();
  for (StatementRun* run : group) {
    if (!run->status.ok()) continue;
    run->status = committed;
    run->summary = {};
    NoteFailure(*run);
  }
}

void Connection::FailGroup(Runs group, const absl::Status& why) {
  for (StatementRun* run : group) {
    Statement* statement = Start(run);
    if (statement != nullptr) {
      // One that only reads needs no lock of the writer's.
      if (statement->read_only()) {
        Execute(run, statement);
      } else {
        run->status = why;
      }
    }
    NoteFailure(*run);
  }
}

void Connection::UnmarkChains() {
  for (driver::Chain* chain : failed_chains_) chain->failed = false;
  failed_chains_.clear();
}

void Connection::RunByItself(StatementRun* run) {
  ForgetSession();
  Statement* statement = Start(run);
  if (statement != nullptr && (statement->read_only() || statement->runs_alone())) {
    RunAlone(run, statement);
  } else if (statement != nullptr) {
    {
      const Watch watch(executor(), run->deadline, run->cancellation);
      run->status = Control("BEGIN IMMEDIATE");
    }
    if (run->status.ok()) {
      Execute(run, statement);
      if (run->status.ok()) {
        CommitGroup(Runs(&run, 1));
      } else if (!rolled_back()) {
        Control("ROLLBACK").IgnoreError();
      }
    }
  }
  NoteFailure(*run);
}

void Connection::RunAlone(StatementRun* run, Statement* statement) {
  const bool writes = !statement->read_only();
  if (writes) run->status = files_->Check();
  if (!run->status.ok()) return;
  Execute(run, statement);
  if (writes && run->status.ok()) run->status = files_->CheckAfter();
  // The next caller on this connection must not meet what was left behind.
  if (session_changed_) OpenSession(driver::Deadline::None()).IgnoreError();
}

}  // namespace penstock::sqlite
