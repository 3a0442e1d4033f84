// RunBatch: writes that share a commit.
#include <algorithm>
#include <chrono>
#include <optional>

#include "drivers/api/chain.h"
#include "drivers/api/error.h"
#include "drivers/pebble/connection.h"
#include "drivers/pebble/error.h"

namespace penstock::pebble {
namespace {

using driver::KeyValueRun;
using driver::Reason;
using driver::StatementRun;
using sqlite_engine::Statement;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Between two looks at deadline and cancellation while a lock is waited for.
constexpr milliseconds kLockSlice(50);

bool IsScan(const StatementRun& run) {
  return run.key_value != nullptr && run.key_value->kind == KeyValueRun::Kind::kScan;
}

bool IsRead(const StatementRun& run) { return run.key_value != nullptr && run.key_value->reads(); }

// Nobody else may commit between its look at the range and its own commit.
bool IsRangeWrite(const StatementRun& run) {
  return run.key_value != nullptr && !run.key_value->reads() && DeletesRange(run);
}

// It does not look at what its transaction has written: its conditions would, and
// the ranges it deletes, and SQL.
bool IsBlind(const StatementRun* run) {
  if (run->key_value == nullptr) return false;
  if (run->key_value->reads()) return true;
  return run->key_value->conditions.empty() && !DeletesRange(*run);
}

// It has met a lock; or, as a statement of SQL, what was written since it began to
// read. Outside a client's transaction it may begin again.
bool MayDoBetterAlone(const StatementRun& run) {
  if (run.status.ok()) return false;
  const Reason reason = driver::GetErrorInfo(run.status).reason;
  return reason == Reason::kBusy ||
         (run.key_value == nullptr && reason == Reason::kSerializationFailure);
}

}  // namespace

size_t Connection::Together(Runs runs) {
  // A scan may be long, and so may a SELECT; whoever waits for a lock holds nobody up.
  const auto may_be_long = [this](const StatementRun& run) {
    return run.key_value == nullptr && lane_ == driver::Lane::kRead && !IsBrisk(run);
  };
  const auto alone = [&](const StatementRun* run) {
    return run->alone || IsScan(*run) || may_be_long(*run);
  };
  const auto first = std::find_if(runs.begin(), runs.end(), alone);
  if (first == runs.begin() && may_be_long(**first)) return 0;
  return std::max<size_t>(static_cast<size_t>(first - runs.begin()), 1);
}

size_t Connection::RunBatch(Runs runs) {
  return lane_ == driver::Lane::kRead ? RunReads(runs) : RunWrites(runs);
}

size_t Connection::RunReads(Runs runs) {
  size_t done = 0;
  for (StatementRun* run : runs) {
    ++done;
    if (Start(run)) {
      if (run->key_value == nullptr) {
        ReadSqlOrLeaveIt(run);
      } else if (run->key_value->reads()) {
        Read(run);
      } else {
        run->wrong_lane = true;
      }
    }
    NoteFailure(*run);
    if (run->cursor != nullptr) break;
  }
  return done;
}

void Connection::ReadSqlOrLeaveIt(StatementRun* run) {
  Statement* statement = Prepare(run);
  if (statement == nullptr) return;
  if (run->prepare_only) {
    run->status = statement->CheckCount(run->args.size());
  } else if (statement->read_only()) {
    ReadSql(nullptr, run, statement);
  } else {
    run->wrong_lane = true;
  }
}

size_t Connection::RunWrites(Runs runs) {
  if (runs.front()->alone) {
    RunAlone(runs.front());
    return 1;
  }
  rocksdb::Transaction* group = StartOwn(milliseconds(0), runs);
  // Closed from the first deleted range up to the commit.
  std::optional<CommitGate::Closed> closed;
  size_t done = 0;
  for (; done < runs.size(); ++done) {
    StatementRun* run = runs[done];
    // It may take long, which others must not wait for.
    if (closed.has_value() && run->key_value == nullptr) break;
    if (Start(run)) {
      if (IsRead(*run)) {
        Read(run);
      } else if (!WriteInGroup(group, run, &closed)) {
        break;
      }
    }
    NoteFailure(*run);
    if (run->cursor == nullptr) continue;
    ++done;
    break;
  }
  closed.has_value() ? CommitNow(group, runs.first(done)) : CommitGroup(group, runs.first(done));
  closed.reset();
  if (done > 0) return done;
  RunAlone(runs.front());
  return 1;
}

rocksdb::Transaction* Connection::StartOwn(milliseconds lock_timeout, Runs runs) {
  rocksdb::TransactionOptions options;
  options.lock_timeout = lock_timeout.count();
  own_.reset(store_->db()->BeginTransaction(store_->write_options(), options, own_.release()));
  // The index is a good part of what a put costs.
  std::all_of(runs.begin(), runs.end(), IsBlind) ? own_->DisableIndexing() : own_->EnableIndexing();
  return own_.get();
}

void Connection::WriteGuarded(const View& view, StatementRun* run, Statement* statement) {
  view.transaction->SetSavePoint();
  if (statement != nullptr) {
    WriteSql(view.transaction, run, statement);
  } else {
    run->status = Write(view, run);
  }
  if (run->status.ok()) {
    view.transaction->PopSavePoint();
    return;
  }
  view.transaction->RollbackToSavePoint();
  run->summary = {};
}

bool Connection::WriteInGroup(rocksdb::Transaction* group, StatementRun* run,
                              std::optional<CommitGate::Closed>* closed) {
  Statement* statement = nullptr;
  if (run->key_value == nullptr) {
    statement = Prepare(run);
    if (statement == nullptr) return true;
    // A SELECT has to see what the group has written, and CREATE TABLE to be seen.
    run->alone = statement->read_only() || statement->note() != 0;
    if (run->alone) return false;
  }
  if (IsRangeWrite(*run) && !closed->has_value()) {
    // The keys that exist are locked before others have to wait.
    group->SetSavePoint();
    run->status = LockKeys({.store = store_, .transaction = group}, *run);
    run->status.ok() ? group->PopSavePoint() : group->RollbackToSavePoint();
    if (run->status.ok()) closed->emplace(store_->commit_gate());
  }
  const View view{.store = store_, .transaction = group, .undisturbed = closed->has_value()};
  if (run->status.ok()) WriteGuarded(view, run, statement);
  if (!MayDoBetterAlone(*run)) return true;
  run->status = absl::OkStatus();
  run->alone = true;
  return false;
}

void Connection::CommitGroup(rocksdb::Transaction* group, Runs runs) const {
  const CommitGate::Passage passage(store_->commit_gate());
  CommitNow(group, runs);
}

void Connection::CommitNow(rocksdb::Transaction* group, Runs runs) const {
  const absl::Status committed = store_->Commit(group);
  if (committed.ok()) return;
  group->Rollback();
  for (StatementRun* run : runs) {
    if (!run->status.ok() || IsRead(*run)) continue;
    run->status = committed;
    run->summary = {};
    NoteFailure(*run);
  }
}

void Connection::RunAlone(StatementRun* run) {
  run->alone = false;
  if (run->key_value != nullptr) return WriteAlone(run);
  Statement* statement = Start(run) ? Prepare(run) : nullptr;
  if (statement == nullptr) {
    NoteFailure(*run);
  } else if (statement->read_only()) {
    ReadSql(nullptr, run, statement);
    NoteFailure(*run);
  } else if (statement->note() != 0) {
    sql_->Define(run, statement);
    NoteFailure(*run);
  } else {
    WriteAlone(run);
  }
}

void Connection::WriteAlone(StatementRun* run) {
  const driver::TimePoint give_up = steady_clock::now() + store_->options().lock_timeout;
  // Its place in the queue for the lock is lost with each slice, which is the
  // price of a wait that can be cancelled.
  while (Start(run)) {
    Statement* statement = run->key_value == nullptr ? Prepare(run) : nullptr;
    if (!run->status.ok()) break;
    rocksdb::Transaction* own = StartOwn(kLockSlice, {&run, 1});
    const View view{.store = store_, .transaction = own};
    if (IsRangeWrite(*run)) {
      WriteRange(own, run, give_up);
      if (run->status.ok()) break;
    } else {
      if (statement == nullptr) run->status = LockKeys(view, *run);
      if (run->status.ok()) WriteGuarded(view, run, statement);
      if (run->status.ok()) {
        CommitGroup(own, {&run, 1});
        break;
      }
    }
    own->Rollback();
    if (!MayDoBetterAlone(*run) || steady_clock::now() >= give_up) break;
  }
  NoteFailure(*run);
}

// Nothing may wait for a lock while others are kept from committing, so what is there is
// locked before. A key that has come meanwhile is free, or whoever has it locked is waited
// for with the others kept.
void Connection::WriteRange(rocksdb::Transaction* own, StatementRun* run,
                            driver::TimePoint give_up) {
  do {
    own->SetLockTimeout(kLockSlice.count());
    run->status = LockKeys({.store = store_, .transaction = own}, *run);
    if (!run->status.ok()) return;
    own->SetLockTimeout(0);
    const CommitGate::Closed closed(store_->commit_gate());
    WriteGuarded({.store = store_, .transaction = own, .undisturbed = true}, run, nullptr);
    if (!run->status.ok()) continue;
    CommitNow(own, {&run, 1});
    return;
  } while (MayDoBetterAlone(*run) && steady_clock::now() < give_up && Start(run));
}

}  // namespace penstock::pebble
