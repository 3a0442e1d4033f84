// Where drivers block: the threads of one database.
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

// A piece of work. Whoever makes it keeps it alive until Run has begun and may
// destroy it within Run. It is in one thread pool at most, once at a time.
class Task {
 public:
  enum class Kind : uint8_t {
    kBrief,    // computes for a moment, as far as one can tell
    kBlocking  // waits for a disk: never for an I/O thread
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

// Runs tasks, first in first out, on a few threads that are woken last in first
// out, so that under light load the same warm thread does all the work.
//
// A handover between threads costs more than a point query of an embedded
// database. For such a database the thread pool therefore wakes a second thread
// only when the first has been busy with one task for a while, and lets an I/O
// thread that has just handed over its events stand in as a worker for brief
// tasks, as long as another one is there to take the network over (see IoCrew).
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

  // Never blocks. `task` runs on a thread of the thread pool, or on an I/O thread
  // that stands in.
  void Enqueue(Task* task);

  // Runs what is queued, and what that enqueues, then joins the threads. Nobody
  // else may enqueue any more. Once it returns no task is running.
  void Stop();

  // Called regularly: gets a queue moving whose workers are all busy for long.
  void Tick();

  // From now on there are this many threads more than Options::threads, or as many as
  // there were more before: for workers that do not come back from a task. Not after
  // Stop.
  void ProvideExtra(int extra);

  // Tasks that wait for a thread.
  size_t queued() const;

 private:
  friend class IoCrew;

  // A thread of ours, or an I/O thread that stands in.
  struct Worker {
    std::condition_variable wake;
    bool awake = false;
    bool stands_in = false;  // an I/O thread: takes brief tasks only
    TimePoint task_began;
  };

  struct Queue {
    Task* first = nullptr;
    Task** tail = &first;
    void Push(Task* task);
    Task* Pop();
  };

  void AddThreadLocked();
  // A worker that takes tasks of this kind will be free soon.
  bool AnyWorkerFreshLocked(Task::Kind kind) const;
  // Takes the most recently parked worker if one should be woken.
  Worker* WorkerToWakeLocked();
  void ThreadMain(Worker* worker);
  void RunQueuedLocked(std::unique_lock<std::mutex>& lock, Worker* worker);
  // Gets the queues moving: by running brief tasks on this thread, if it is the
  // crew's (null: it is no I/O thread) and may leave the network, or by waking
  // a worker.
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

// The two threads that serve the network. One of them, the leader, polls. While
// it handles a batch of events, what it enqueues is held back; at the end of the
// batch it may run the tasks itself. The other one, the deputy, sleeps, and takes
// the lead if the leader has been away from the network for too long. (Two
// threads that poll at once wake each other for every event.)
//
// A leader that stood in for a task that does not end does not come back to be the
// deputy: the new leader is told that it misses one, and whoever owns the threads adds
// one. Those that are too many when the lost ones return sleep until they are needed.
//
// Thread-safe.
class IoCrew {
 public:
  // How long the network may go unattended. Short, so that under load the two
  // take turns and overlap; long enough for a point query to end before.
  static constexpr Duration kPatience = std::chrono::microseconds(60);

  // A leader that is away for longer is not waited for.
  static constexpr Duration kLost = std::chrono::seconds(1);

  // Wraps the handling of one batch of events on the leader's thread.
  class Batch {
   public:
    explicit Batch(IoCrew& crew);
    // Lets the tasks run: here, or on a worker thread.
    ~Batch();
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;

   private:
    friend class ThreadPool;
    void Add(ThreadPool* thread_pool);

    IoCrew& crew_;
    std::vector<ThreadPool*> thread_pools_;
  };

  // Waits to become the leader: at once if there is none, else until the leader
  // has been away for longer than kPatience. False: Stop was called.
  bool Lead();
  // Whether this thread, which once led, still does. To be asked after each
  // batch; who does not must call Lead again.
  bool StillLeads() const;
  // For the leader: nobody has been the deputy for so long that one was lost. True at
  // most once in kLost.
  bool MissesDeputy();
  // Wakes the deputy for the last time.
  void Stop();

 private:
  friend class ThreadPool;
  friend class CrewWatcher;  // of the tests

  // Leaves the network, if a deputy is there to watch it.
  bool TryStandIn();
  void EndStandIn();

  mutable std::mutex mutex_;
  std::condition_variable deputy_;
  std::condition_variable reserve_;  // for those who would be the second deputy
  std::thread::id leader_;
  bool deputy_waits_ = false;
  TimePoint alone_since_;
  bool deputy_sleeps_ = false;  // until it is notified, not only for a moment
  TimePoint away_since_ = TimePoint::max();
  TimePoint last_away_;
  bool stopping_ = false;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RUNTIME_THREAD_POOL_H_
