#include "server/database/statement_queue.h"

#include <algorithm>
#include <utility>

#include "drivers/api/chain.h"
#include "drivers/api/error.h"
#include "drivers/api/only_read.h"
#include "fmt/format.h"
#include "server/database/early_checks.h"
#include "server/runtime/batch_ends.h"

namespace penstock::server {
namespace {

// A batch of this size makes the cost of a commit small for each, and the first does not wait long
// for the last.
constexpr size_t kMaxBatch = 256;

// Most statements that wait for a writer have their turn sooner, and cost no check.
constexpr auto kPatience = std::chrono::milliseconds(20);

}  // namespace

// Takes a connection, and batches from the queue until it is empty. It is
// waiting for a connection, enqueued, or running; never two of them.
class StatementQueue::Runner final : public Pool::Waiter, public Task {
 public:
  explicit Runner(StatementQueue* owner)
      : Task(owner->options_.flushes ? Kind::kBlocking : Kind::kBrief), owner_(owner) {}

  void Start() { owner_->pool_->Acquire(this); }

  void OnLease(absl::StatusOr<Lease> lease) override {
    lease_ = std::move(lease);
    owner_->thread_pool_->Enqueue(this);
  }

  void Run() override {
    for (;;) {
      batch_.clear();
      // Without a batch the runner is resting, and another thread may be running it by now: this
      // thread touches it no more.
      if (!owner_->TakeBatch(this, &batch_)) return;
      const bool connection_left = RunBatch();
      // Other callers that wait for a connection have their turn between two batches.
      if (!connection_left || owner_->pool_->contended()) {
        if (lease_.ok()) lease_->Release();
        Start();
        return;
      }
    }
  }

  // When the current batch was taken; guarded by the queue's lock.
  TimePoint batch_began;
  // Gives the connection back before the runner is seen as resting.
  void Rest() {
    if (lease_.ok()) lease_->Release();
  }

 private:
  // Returns false if the lease was handed on, or is of no use.
  bool RunBatch() {
    absl::Status ready = lease_.status();
    // The first statement's limit is as good as any for opening a connection.
    if (ready.ok()) ready = lease_->Connect(batch_.front()->deadline);
    if (!ready.ok()) {
      const BatchEnds ends;
      for (driver::StatementRun* run : batch_) {
        run->status = ready;
        owner_->Answer(static_cast<PendingRun*>(run));
      }
      return false;
    }
    // The rest of the batch goes to another runner.
    const size_t brisk = (*lease_)->Together(batch_);
    if (brisk == 0) owner_->MayTakeLong(this);
    const size_t together = std::max<size_t>(brisk, 1);
    if (together < batch_.size()) {
      owner_->PutBack(batch_.begin() + static_cast<std::ptrdiff_t>(together), batch_.end());
      batch_.resize(together);
    }
    if (owner_->metrics_ != nullptr) owner_->metrics_->OnBatch(batch_.size());
    const size_t done = (*lease_)->RunBatch(batch_);
    // The pool learns of a lost link before its callers do, so that one who asks again is not given
    // another connection that was lost with it.
    const bool lost = !(*lease_)->healthy() && !AnyCursor(done);
    if (lost) lease_->Release();
    owner_->PutBack(batch_.begin() + static_cast<std::ptrdiff_t>(done), batch_.end());
    bool handed_on = false;
    const BatchEnds ends;
    for (size_t i = 0; i < done; ++i) {
      auto* run = static_cast<PendingRun*>(batch_[i]);
      if (run->cursor != nullptr) {
        run->lease = *std::move(lease_);
        handed_on = true;
      }
      owner_->Answer(run);
    }
    return !lost && !handed_on;
  }

  // Tells whether one of the first `count` statements goes on as a cursor.
  bool AnyCursor(size_t count) const {
    return std::any_of(batch_.begin(), batch_.begin() + static_cast<std::ptrdiff_t>(count),
                       [](const driver::StatementRun* run) { return run->cursor != nullptr; });
  }

  StatementQueue* const owner_;
  absl::StatusOr<Lease> lease_;
  std::vector<driver::StatementRun*> batch_;
};

StatementQueue::StatementQueue(Pool* pool, ThreadPool* thread_pool, StatementQueue* overflow,
                               const Options& options, BatchMetrics* metrics, const Clock& clock)
    : pool_(pool),
      thread_pool_(thread_pool),
      overflow_(overflow),
      options_(options),
      metrics_(metrics),
      clock_(clock) {
  for (int i = 0; i < options_.max_runners; ++i) AddRunnerLocked();
}

void StatementQueue::AddRunnerLocked() {
  runners_.push_back(std::make_unique<Runner>(this));
  resting_.push_back(runners_.back().get());
}

StatementQueue::~StatementQueue() = default;

bool StatementQueue::AnyRunnerFreshLocked() const {
  const TimePoint busy_since = clock_.Now() - ThreadPool::kBusyAfter;
  return std::any_of(runners_.begin(), runners_.end(), [&](const std::unique_ptr<Runner>& runner) {
    return runner->batch_began > busy_since &&
           std::find(resting_.begin(), resting_.end(), runner.get()) == resting_.end();
  });
}

StatementQueue::Runner* StatementQueue::RunnerToStartLocked() {
  if (waiting_.empty() || resting_.empty()) return nullptr;
  // Runners that were added in place of stuck ones rest when these have come back.
  const size_t busy = runners_.size() - resting_.size();
  const int most = options_.max_runners + pool_->replaced();
  if (busy >= static_cast<size_t>(most)) return nullptr;
  if (resting_.size() < runners_.size() && AnyRunnerFreshLocked()) {
    return nullptr;
  }
  Runner* runner = resting_.back();
  resting_.pop_back();
  runner->batch_began = clock_.Now();
  return runner;
}

void StatementQueue::Ready(PendingRun* run) const {
  run->wrong_lane = false;
  run->alone = false;
  run->read_only = false;
  run->status = absl::OkStatus();
  run->wait_until_ = run->deadline;
  const bool writes = pool_->options().lane == driver::Lane::kWrite;
  run->may_write_.store(writes, std::memory_order_relaxed);
  if (options_.acquire_timeout == Duration::zero()) return;
  const driver::Deadline limit{.at = clock_.Now() + options_.acquire_timeout,
                               .reason = driver::Reason::kAcquireTimeout};
  run->wait_until_ = driver::Earlier(run->deadline, limit);
}

bool StatementQueue::AddLocked(PendingRun* run) {
  if (!waiting_.HasRoom(run->tenant, static_cast<size_t>(options_.max_waiting))) return false;
  if (early_checks_ != nullptr) {
    run->ticket_ = ++tickets_;
    run->submitted_ = clock_.Now();
    run->checked_ = !run->may_fail_early || run->key_value != nullptr;
  }
  waiting_.PushBack(run);
  return true;
}

void StatementQueue::SubmitMany(std::span<PendingRun* const> runs) {
  for (PendingRun* run : runs) Ready(run);
  Runner* runner = nullptr;
  std::vector<PendingRun*> refused;
  {
    std::lock_guard lock(mutex_);
    for (PendingRun* run : runs) {
      if (!AddLocked(run)) refused.push_back(run);
    }
    runner = RunnerToStartLocked();
  }
  const BatchEnds ends;
  for (PendingRun* run : refused) {
    run->status = driver::MakeErrorWithHint(
        driver::Reason::kQueueFull,
        fmt::format("{} statements are already waiting for a connection", options_.max_waiting),
        "try again later, or raise max_waiters of the database");
    run->OnRun();
  }
  if (runner != nullptr) runner->Start();
}

bool StatementQueue::TakeBatch(Runner* runner, std::vector<driver::StatementRun*>* batch) {
  {
    std::lock_guard lock(mutex_);
    while (!waiting_.empty() && batch->size() < kMaxBatch) {
      batch->push_back(waiting_.PopFront());
    }
    runner->batch_began = clock_.Now();
  }
  if (!batch->empty()) return true;
  // The connection is given back outside the lock, and only then does the runner count as resting.
  // The second look finds what was submitted in between.
  runner->Rest();
  Runner* again = nullptr;
  {
    std::lock_guard lock(mutex_);
    resting_.push_back(runner);
    again = RunnerToStartLocked();
  }
  if (again != nullptr) again->Start();
  return false;
}

void StatementQueue::MayTakeLong(Runner* runner) {
  std::lock_guard lock(mutex_);
  runner->batch_began = TimePoint::min();
}

void StatementQueue::PutBack(std::vector<driver::StatementRun*>::const_iterator begin,
                             std::vector<driver::StatementRun*>::const_iterator end) {
  if (begin == end) return;
  Runner* runner = nullptr;
  {
    std::lock_guard lock(mutex_);
    while (end != begin) waiting_.PushFront(static_cast<PendingRun*>(*--end));
    runner = RunnerToStartLocked();
  }
  if (runner != nullptr) runner->Start();
}

void StatementQueue::Answer(PendingRun* run) {
  // Drivers refuse such a run themselves; that it gets no writer is not left to them alone.
  if (run->wrong_lane && run->must_only_read) {
    run->wrong_lane = false;
    run->status = driver::MayOnlyRead();
    NoteFailure(*run);
  }
  if (run->wrong_lane && overflow_ != nullptr) {
    overflow_->Submit(run);
  } else {
    run->OnRun();
  }
}

std::vector<PendingRun*> StatementQueue::TakeOverdueLocked(TimePoint now) {
  std::vector<PendingRun*> over;
  for (PendingRun* run = waiting_.First(); run != nullptr;) {
    PendingRun* const next = waiting_.Next(run);
    const bool cancelled = run->cancellation != nullptr && run->cancellation->cancelled();
    if (cancelled || run->wait_until_.passed(now)) {
      waiting_.Remove(run);
      over.push_back(run);
    }
    run = next;
  }
  return over;
}

void StatementQueue::Tick(TimePoint now) {
  std::vector<PendingRun*> over;
  std::vector<EarlyChecks::Check*> checks;
  Runner* runner = nullptr;
  {
    std::lock_guard lock(mutex_);
    over = TakeOverdueLocked(now);
    PendingRun* run = early_checks_ != nullptr ? waiting_.First() : nullptr;
    for (; run != nullptr; run = waiting_.Next(run)) {
      if (run->checked_ || now - run->submitted_ < kPatience) continue;
      EarlyChecks::Check* const check = early_checks_->Make(run, run->ticket_);
      run->checked_ = check != nullptr;
      if (check != nullptr) checks.push_back(check);
    }
    const bool all_busy = !waiting_.empty() && resting_.empty();
    const int most = options_.max_runners + pool_->replaced();
    const auto wanted = static_cast<size_t>(most);
    if (all_busy && runners_.size() < wanted) AddRunnerLocked();
    runner = RunnerToStartLocked();
  }
  for (EarlyChecks::Check* check : checks) early_checks_->Start(check);
  const BatchEnds ends;
  for (PendingRun* run : over) {
    const bool cancelled = run->cancellation != nullptr && run->cancellation->cancelled();
    run->status = cancelled ? run->cancellation->status() : run->wait_until_.Error();
    if (run->chain != nullptr) run->chain->failed = true;
    run->OnRun();
  }
  if (runner != nullptr) runner->Start();
}

void StatementQueue::RefuseEarlyBy(StatementQueue* readers) {
  early_checks_ = std::make_unique<EarlyChecks>(
      readers, [this](PendingRun* run, uint64_t ticket, const absl::Status& why) {
        Refuse(run, ticket, why);
      });
}

void StatementQueue::Refuse(PendingRun* run, uint64_t ticket, const absl::Status& why) {
  {
    std::lock_guard lock(mutex_);
    // The run may be gone and its memory in use for something else, so it is not looked into before
    // it was found in the queue.
    PendingRun* found = waiting_.First();
    while (found != nullptr && found != run) found = waiting_.Next(found);
    if (found == nullptr || run->ticket_ != ticket) return;
    waiting_.Remove(run);
  }
  run->status = why;
  if (run->chain != nullptr) run->chain->failed = true;
  run->OnRun();
}

size_t StatementQueue::waiting() const {
  std::lock_guard lock(mutex_);
  return waiting_.size();
}

}  // namespace penstock::server
