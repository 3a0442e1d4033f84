// RunBatch: writes that share a commit.
#include <algorithm>
#include <chrono>

#include "drivers/api/error.h"
#include "drivers/pebble/connection.h"
#include "drivers/pebble/error.h"

namespace penstock::pebble {
namespace {

using driver::KeyValueRun;
using driver::Reason;
using driver::StatementRun;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

// Between two looks at deadline and cancellation while a lock is waited for.
constexpr milliseconds kLockSlice(50);

bool IsScan(const StatementRun& run) {
  return run.key_value != nullptr && run.key_value->sort == KeyValueRun::Sort::kScan;
}

bool Waits(const StatementRun& run) {
  return run.key_value != nullptr && run.key_value->scratch.waits;
}

// It does not look at what its transaction has written: its conditions would, and
// the ranges it deletes.
bool IsBlind(const StatementRun* run) {
  if (run->key_value == nullptr || run->key_value->reads()) return true;
  const KeyValueRun& write = *run->key_value;
  return write.conditions.empty() &&
         std::none_of(write.mutations.begin(), write.mutations.end(), [](const auto& mutation) {
           return mutation.sort == driver::KeyMutation::Sort::kDeleteRange;
         });
}

bool IsLocked(const absl::Status& status) {
  return !status.ok() && driver::GetErrorInfo(status).reason == Reason::kBusy;
}

}  // namespace

size_t Connection::Together(Runs runs) {
  // A scan may be long, and whoever waits for a lock holds nobody up.
  const auto alone = [](const StatementRun* run) { return IsScan(*run) || Waits(*run); };
  const auto first = std::find_if(runs.begin(), runs.end(), alone);
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
      if (run->key_value->reads()) {
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

size_t Connection::RunWrites(Runs runs) {
  if (Waits(*runs.front())) {
    WriteAlone(runs.front());
    return 1;
  }
  rocksdb::Transaction* group = StartOwn(milliseconds(0), runs);
  size_t done = 0;
  for (; done < runs.size(); ++done) {
    StatementRun* run = runs[done];
    if (Start(run)) {
      if (!run->key_value->reads()) {
        if (!WriteInGroup(group, run)) break;
      } else {
        Read(run);
      }
    }
    NoteFailure(*run);
    if (run->cursor == nullptr) continue;
    ++done;
    break;
  }
  CommitGroup(group, runs.first(done));
  if (done > 0) return done;
  WriteAlone(runs.front());
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

void Connection::WriteGuarded(const View& view, StatementRun* run) {
  view.transaction->SetSavePoint();
  run->status = Write(view, run);
  if (run->status.ok()) {
    view.transaction->PopSavePoint();
    return;
  }
  view.transaction->RollbackToSavePoint();
  run->summary = {};
}

bool Connection::WriteInGroup(rocksdb::Transaction* group, StatementRun* run) const {
  WriteGuarded({.store = store_, .transaction = group}, run);
  if (!IsLocked(run->status)) return true;
  run->status = absl::OkStatus();
  run->key_value->scratch.waits = true;
  return false;
}

void Connection::CommitGroup(rocksdb::Transaction* group, Runs runs) const {
  const absl::Status committed = store_->ToStatus(group->Commit());
  if (committed.ok()) return;
  group->Rollback();
  for (StatementRun* run : runs) {
    if (!run->status.ok() || run->key_value->reads()) continue;
    run->status = committed;
    run->summary = {};
    NoteFailure(*run);
  }
}

void Connection::WriteAlone(StatementRun* run) {
  const driver::TimePoint give_up = steady_clock::now() + store_->options().lock_timeout;
  // Its place in the queue for the lock is lost with each slice, which is the
  // price of a wait that can be cancelled.
  while (Start(run)) {
    rocksdb::Transaction* own = StartOwn(kLockSlice, {&run, 1});
    WriteGuarded({.store = store_, .transaction = own}, run);
    if (run->status.ok()) {
      CommitGroup(own, {&run, 1});
      break;
    }
    own->Rollback();
    if (!IsLocked(run->status) || steady_clock::now() >= give_up) break;
  }
  run->key_value->scratch.waits = false;
  NoteFailure(*run);
}

}  // namespace penstock::pebble
