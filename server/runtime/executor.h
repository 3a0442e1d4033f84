// Where drivers block: the threads of one database.
#ifndef PENSTOCK_SERVER_RUNTIME_EXECUTOR_H_
#define PENSTOCK_SERVER_RUNTIME_EXECUTOR_H_

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "server/runtime/clock.h"

namespace penstock::server {

// A piece of work. Whoever makes it keeps it alive until Run has begun and may
// destroy it within Run. It is in one executor at most, once at a time.
class Task {
 public:
  virtual void Run() = 0;

 protected:
  ~Task() = default;

 private:
  friend class Executor;
  Task* next_ = nullptr;
};

// Runs tasks, first in first out, on a few threads that are woken last in first
// out, so that under light load the same warm thread does all the work.
//
// A handover between threads costs more than a point query of an embedded
// database. For such a database the executor therefore wakes a second thread
// only when the first has been busy with one task for a while, and lets an I/O
// thread that has just handed over its events stand in as a worker, as long as
// another I/O thread is left to serve the network (see IoCrew).
//
// Thread-safe.
class Executor {
 public:
  struct Options {
    int threads = 1;
    // The tasks mostly compute: few threads at once serve them best.
    bool embedded = false;
  };

  // A worker busy with one task for longer than this is not counted on to take
  // the next one.
  static constexpr Duration kBusyAfter = std::chrono::microseconds(300);

  explicit Executor(Options options, const Clock& clock = Clock::System());
  // Runs what is queued, then joins its threads. Nothing may be enqueued from
  // other threads any more.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Never blocks. `task` runs on a thread of the executor, or on an I/O thread
  // that stands in.
  void Enqueue(Task* task);

  // Called regularly: gets a queue moving whose workers are all stuck.
  void Tick();

  // Tasks that wait for a thread.
  size_t queued() const;

 private:
  friend class IoCrew;

  // A thread of ours, or an I/O thread that stands in.
  struct Worker {
    std::condition_variable wake;
    bool awake = false;
    TimePoint task_began;
  };

  void PushLocked(Task* task);
  bool AnyWorkerFreshLocked() const;
  // Takes the most recently parked worker if one should be woken.
  Worker* WorkerToWakeLocked();
  void ThreadMain(Worker* worker);
  void RunQueuedLocked(std::unique_lock<std::mutex>& lock, Worker* worker);
  // Gets the queue moving: by running it on this thread, if it is one of
  // `spare_io_threads` (null: it is no I/O thread), or by waking a worker.
  void Kick(std::atomic<int>* spare_io_threads);

  const Options options_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  Task* head_ = nullptr;
  Task** tail_ = &head_;
  size_t queued_ = 0;
  std::vector<Worker*> parked_;
  std::vector<Worker*> active_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
};

// The threads that serve the network. While one of them handles a batch of
// events, what it enqueues is held back; at the end of the batch it may run the
// tasks itself if another member is left to go on polling.
class IoCrew {
 public:
  explicit IoCrew(int threads) : spare_(threads - 1) {}

  // Wraps the handling of one batch of events on a member's thread.
  class Batch {
   public:
    explicit Batch(IoCrew& crew);
    // Lets the tasks run: here, or on an executor's thread.
    ~Batch();
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;

   private:
    friend class Executor;
    void Add(Executor* executor);

    IoCrew& crew_;
    std::vector<Executor*> executors_;
  };

 private:
  // Members that may leave the network to the others.
  std::atomic<int> spare_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RUNTIME_EXECUTOR_H_
