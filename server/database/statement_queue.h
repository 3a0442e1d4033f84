// Autocommit statements on their way to a connection.
#ifndef PENSTOCK_SERVER_DATABASE_STATEMENT_QUEUE_H_
#define PENSTOCK_SERVER_DATABASE_STATEMENT_QUEUE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "drivers/api/driver.h"
#include "server/metrics/metrics.h"
#include "server/pool/pool.h"
#include "server/runtime/thread_pool.h"

namespace penstock::server {

class EarlyChecks;

// One autocommit statement that waits for its turn, runs and is answered.
// Whoever submits it keeps it alive until OnRun.
class PendingRun : public driver::StatementRun {
 public:
  // The outcome is in the base class. If `cursor` is set, `lease` holds its
  // connection. Called once a submission, from a worker thread or the
  // ticker's: it must not block.
  virtual void OnRun() = 0;

  // After `cursor`, so that the cursor is gone before its connection; see
  // CloseCursor.
  Lease lease;

  // Its caller has sent nothing before it that is still to run: what is wrong with the
  // statement now is wrong with it when its turn comes.
  bool may_fail_early = false;

  // It is, or was last, in a lane whose connections write. Any thread may ask.
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
  PendingRun* next_ = nullptr;
  driver::Deadline wait_until_;
  std::atomic<bool> may_write_{true};
  // Of the submission, in a lane that refuses early.
  uint64_t ticket_ = 0;
  TimePoint submitted_;
  bool checked_ = false;
};

// A queue of statements in front of a pool. What has gathered while the
// connections were busy is handed to the next free one as one batch, so that
// the driver can share a commit (SQLite), a snapshot, or a round trip among it.
// Thread-safe.
class StatementQueue {
 public:
  struct Options {
    // Batches that may run at once; each uses a connection. As many more may run as the
    // pool has connections in place of stuck ones. A further one is started only when each
    // of the others has been busy with its batch for a while (ThreadPool::kBusyAfter) or has
    // one that is not brisk.
    int max_runners = 1;
    // A batch waits for a disk before it is done.
    bool flushes = false;
    int max_waiting = 10'000;
    Duration acquire_timeout{};  // 0: none
  };

  // `overflow`, if not null, takes the statements that turn out to be of the
  // wrong lane here; `metrics`, if not null, counts. All of them outlive the lane.
  StatementQueue(Pool* pool, ThreadPool* thread_pool, StatementQueue* overflow,
                 const Options& options, BatchMetrics* metrics,
                 const Clock& clock = Clock::System());
  ~StatementQueue();
  StatementQueue(const StatementQueue&) = delete;
  StatementQueue& operator=(const StatementQueue&) = delete;

  // From now on a statement that has waited for a while and may fail early is checked by
  // `readers`, which outlives the lane's use. To be called before Submit.
  void RefuseEarlyBy(StatementQueue* readers);

  // Never blocks. A full queue is an answer too (kQueueFull).
  void Submit(PendingRun* run);

  // Answers those whose time is up or whose client has gone while they wait.
  void Tick(TimePoint now);

  size_t waiting() const;

 private:
  class Runner;
  struct List {
    PendingRun* first = nullptr;
    PendingRun** tail = &first;
    size_t size = 0;
    void PushBack(PendingRun* run);
    void PushFront(PendingRun* run);
    PendingRun* PopFront();
  };

  void AddRunnerLocked();
  bool AnyRunnerFreshLocked() const;
  Runner* RunnerToStartLocked();
  // Up to a batch of statements to run. False: there is none, and the runner
  // is resting.
  bool TakeBatch(Runner* runner, std::vector<driver::StatementRun*>* batch);
  // Its batch is not one that others should wait for.
  void MayTakeLong(Runner* runner);
  void PutBack(std::vector<driver::StatementRun*>::const_iterator begin,
               std::vector<driver::StatementRun*>::const_iterator end);
  void Answer(PendingRun* run);
  // Answers a run, if it still waits and has this ticket.
  void Refuse(PendingRun* run, uint64_t ticket, const absl::Status& why);

  Pool* const pool_;
  ThreadPool* const thread_pool_;
  StatementQueue* const overflow_;
  const Options options_;
  BatchMetrics* const metrics_;
  const Clock& clock_;

  mutable std::mutex mutex_;
  List waiting_;
  std::vector<std::unique_ptr<Runner>> runners_;
  std::vector<Runner*> resting_;
  uint64_t tickets_ = 0;
  // Null: nothing is refused early.
  std::unique_ptr<EarlyChecks> early_checks_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_DATABASE_STATEMENT_QUEUE_H_
