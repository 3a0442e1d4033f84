// The threads of one database, in which drivers block.
#ifndef PENSTOCK_SERVER_RUNTIME_THREAD_POOL_H_
#define PENSTOCK_SERVER_RUNTIME_THREAD_POOL_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "server/runtime/clock.h"

namespace penstock::server {

// A piece of work. Its owner keeps it alive until Run has begun and may
// destroy it within Run. It is in one thread pool at most, once at a time.
class Task {
 public:
  enum class Kind : uint8_t {
    kBrief,    // computes for a moment, as far as one can tell
    kBlocking  // waits for a disk, so no I/O thread runs it
  };

  virtual void Run() = 0;

 protected:
  explicit Task(Kind kind = Kind::kBrief) : kind_(kind) {}
  ~Task() = default;

 private:
  friend class ThreadPool;
  const Kind kind_;
  Task* next_ = nullptr;
};

class IoCrew;

// Runs tasks, first in first out, on a few worker threads. The worker that was parked last is woken
// first, so that under light load the same warm thread does all the work.
//
// A handover between threads costs more than a point query of an embedded database. For such a
// database the pool therefore wakes a second worker only when the first has been busy with one
// task for a while, and lets an I/O thread that has just handed over its events stand in as a
// worker for brief tasks, as long as another one can take the network over (see IoCrew).
//
// How it keeps its promises:
// - mutex_ guards everything below it, the tasks' links and the workers' states; no task runs
//   under it. A thread that holds it may take an IoCrew's lock, never the other way round.
// - A worker is parked or active, never both. Whoever wakes one makes it active first, so that
//   the next task does not wake it again. An I/O thread that stands in is active meanwhile, and
//   is never parked.
// - A task that is enqueued cannot be forgotten: an active worker looks at the queues again before
//   it parks, and if all are busy for long the next Tick wakes another. Within a batch of events
//   nobody is woken; the end of the batch does it.
// - An I/O thread never runs a blocking task. So workers take blocking tasks first, and leave the
//   brief ones to it.
//
// Thread-safe.
class ThreadPool {
 public:
  struct Options {
    int threads = 1;
    // The tasks mostly compute: few threads at once serve them best.
    bool embedded = false;
  };

  // A worker busy with one task for longer than this is not counted on to take
  // the next one.
  static constexpr Duration kBusyAfter = std::chrono::microseconds(300);

  explicit ThreadPool(Options options, const Clock& clock = Clock::System());
  ~ThreadPool() { Stop(); }
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Never blocks. A worker runs `task`, or an I/O thread that stands in.
  void Enqueue(Task* task);

  // Runs what is queued, and what that enqueues, then joins the threads. Nobody
  // else may enqueue any more. Once it returns no task is running.
  void Stop();

  // Called regularly: wakes a worker for a queue whose active workers are all busy for long.
  void Tick();

  // Adds workers until there are `extra` more than Options::threads, in place of workers that
  // do not come back from a task. Never removes any. Not after Stop.
  void ProvideExtra(int extra);

  // Tasks that wait for a thread.
  size_t queued() const;

 private:
  friend class IoCrew;

  // A thread of the pool, or an I/O thread that stands in.
  struct Worker {
    std::condition_variable wake;
    bool awake = false;
    bool stands_in = false;  // an I/O thread, which takes brief tasks only
    TimePoint task_began;
  };

  struct Queue {
    Task* first = nullptr;
    Task** tail = &first;
    void Push(Task* task);
    Task* Pop();
  };

  void AddThreadLocked();
  // Tells whether a worker that takes tasks of this kind will be free soon.
  bool AnyWorkerFreshLocked(Task::Kind kind) const;
  // Takes the most recently parked worker if one should be woken.
  Worker* WorkerToWakeLocked();
  void ThreadMain(Worker* worker);
  void RunQueuedLocked(std::unique_lock<std::mutex>& lock, Worker* worker);
  // Gets the queues moving: runs brief tasks on this thread, if it is a thread of `crew` that
  // may leave the network, or wakes a worker. `crew` is null on a thread that is none.
  void Kick(IoCrew* crew);

  const Options options_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  Queue brief_;
  Queue blocking_;
  size_t queued_ = 0;
  std::vector<Worker*> parked_;
  std::vector<Worker*> active_;
  bool stopping_ = false;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<std::thread> threads_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RUNTIME_THREAD_POOL_H_
