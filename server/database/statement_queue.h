// Autocommit statements on their way to a connection.
#ifndef PENSTOCK_SERVER_DATABASE_STATEMENT_QUEUE_H_
#define PENSTOCK_SERVER_DATABASE_STATEMENT_QUEUE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "drivers/api/driver.h"
#include "server/metrics/metrics.h"
#include "server/pool/pool.h"
#include "server/runtime/fair_queue.h"
#include "server/runtime/thread_pool.h"

namespace penstock::server {

class EarlyChecks;

// One autocommit statement, which waits for its tenant's turn, runs and is answered. The caller
// keeps it alive from Submit until OnRun.
class PendingRun : public driver::StatementRun, public FairQueueItem {
 public:
  // The outcome is in the base class. If `cursor` is set, `lease` holds its connection. Called once
  // for each submission, by a worker thread or the ticker's; it must not block.
  virtual void OnRun() = 0;

  // Stands after `cursor`, so that the cursor is gone before its connection; see CloseCursor.
  Lease lease;

  // The caller has sent nothing before it that is still to run, so a mistake that is found now will
  // be there when the statement's turn comes.
  bool may_fail_early = false;

  // The statement is, or was last, in a queue for connections that write. Any thread may ask.
  bool may_write() const { return may_write_.load(std::memory_order_relaxed); }

  // Destroys the cursor and gives its connection back. Worker threads only.
  void CloseCursor() {
    cursor.reset();
    lease.Release();
  }

 protected:
  ~PendingRun() { CloseCursor(); }

 private:
  friend class StatementQueue;
  driver::Deadline wait_until_;
  std::atomic<bool> may_write_{true};
  // Identifies the submission, in a queue that refuses early.
  uint64_t ticket_ = 0;
  TimePoint submitted_;
  bool checked_ = false;
};

// A queue of statements in front of a pool. The statements that have gathered while the
// connections were busy are handed to the next free one as one batch, so that
// the driver can share a commit (SQLite), a snapshot, or a round trip among them.
//
// A batch takes from the tenants in turn, so that nobody waits for all that another one has
// submitted before (FairQueue). The statements of one tenant keep their order.
//
// How it works. A runner gets a lease from the pool, takes batches from the queue and gives them to
// the driver until the queue is empty. It is resting, waits for its lease, is in the thread pool or
// runs: one of these, so it needs no lock for its lease and its batch.
// - mutex_ guards the waiting statements with their links and tickets, the lists of runners
//   and their batch_began. The pool, the driver and OnRun are called without it.
// - Submit is called by I/O threads and workers, Tick by the ticker, Refuse by a worker of the
//   readers; runners work on workers or on an I/O thread that stands in.
// - A statement waits, is in one runner's batch, or is answered. Whoever takes it out of waiting_
//   answers it or puts it back at the front, so OnRun comes once for each submission, and the
//   order in which a tenant submits is kept where there is one runner.
// - A statement cannot be left waiting: a runner that finds none rests first and looks
//   again, and Tick starts another when all are busy for long.
//
// Thread-safe.
class StatementQueue {
 public:
  struct Options {
    // The most batches that run at once; each uses a connection. As many more may run as the pool
    // has connections in place of stuck ones. A further batch is started only when each of the
    // others has run for a while (ThreadPool::kBusyAfter) or is not brisk.
    int max_runners = 1;
    // A batch waits for a disk, so no I/O thread may run it.
    bool flushes = false;
    int max_waiting = 10'000;
    Duration acquire_timeout{};  // 0: none
  };

  // `overflow`, if not null, takes the statements that turn out to need the other kind of
  // connection; `metrics`, if not null, counts. All of them outlive the queue.
  StatementQueue(Pool* pool, ThreadPool* thread_pool, StatementQueue* overflow,
                 const Options& options, BatchMetrics* metrics,
                 const Clock& clock = Clock::System());
  ~StatementQueue();
  StatementQueue(const StatementQueue&) = delete;
  StatementQueue& operator=(const StatementQueue&) = delete;

  // Lets `readers` check each statement that has waited for a while and may fail early. Called
  // before the first Submit; `readers` outlives the use of this queue.
  void RefuseEarlyBy(StatementQueue* readers);

  // Never blocks. The caller has set the statement's tenant. Answers a statement with kQueueFull if
  // the queue is full, and its tenant has no less than an equal share of it.
  void Submit(PendingRun* run) { SubmitMany({&run, 1}); }
  // Submits several at once, in this order and each as if by itself: nobody takes some of them
  // before the others are there.
  void SubmitMany(std::span<PendingRun* const> runs);

  // Answers the waiting statements whose time is up or whose client has gone.
  void Tick(TimePoint now);

  size_t waiting() const;

 private:
  class Runner;

  // Readies a run for being submitted.
  void Ready(PendingRun* run) const;
  // Returns false if there is no room for the run.
  bool AddLocked(PendingRun* run);
  void AddRunnerLocked();
  bool AnyRunnerFreshLocked() const;
  Runner* RunnerToStartLocked();
  // Takes up to a batch of statements. Returns false if there is none, and then the runner is
  // resting.
  bool TakeBatch(Runner* runner, std::vector<driver::StatementRun*>* batch);
  // Notes that other statements should not wait for the runner's batch.
  void MayTakeLong(Runner* runner);
  // Puts statements of a batch back as if they had not been taken.
  void PutBack(std::vector<driver::StatementRun*>::const_iterator begin,
               std::vector<driver::StatementRun*>::const_iterator end);
  void Answer(PendingRun* run);
  // Takes out the statements whose time is up or whose client has gone.
  std::vector<PendingRun*> TakeOverdueLocked(TimePoint now);
  // Answers a run if it still waits and has this ticket.
  void Refuse(PendingRun* run, uint64_t ticket, const absl::Status& why);

  Pool* const pool_;
  ThreadPool* const thread_pool_;
  StatementQueue* const overflow_;
  const Options options_;
  BatchMetrics* const metrics_;
  const Clock& clock_;

  mutable std::mutex mutex_;
  FairQueue<PendingRun> waiting_;
  std::vector<std::unique_ptr<Runner>> runners_;
  std::vector<Runner*> resting_;
  uint64_t tickets_ = 0;
  // Null if nothing is refused early.
  std::unique_ptr<EarlyChecks> early_checks_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_DATABASE_STATEMENT_QUEUE_H_
