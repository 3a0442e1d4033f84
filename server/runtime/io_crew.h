// The threads that serve the network, and the work they do besides.
#ifndef PENSTOCK_SERVER_RUNTIME_IO_CREW_H_
#define PENSTOCK_SERVER_RUNTIME_IO_CREW_H_

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "server/runtime/clock.h"

namespace penstock::server {

class ThreadPool;

// Two threads serve the network. One of them, the leader, polls. While it handles a batch of
// events, the tasks that it enqueues are held back; at the end of the batch it may run them
// itself, as a worker of their thread pool. The other one, the deputy, sleeps, and takes the lead
// if the leader has been away from the network for too long. (Two threads that poll at once wake
// each other for every event.)
//
// How it keeps its promises:
// - mutex_ guards every member. Only the leader polls. After its tasks it learns from StillLeads
//   whether the deputy has taken over, and polls no more if so.
// - The leader leaves the network only while a deputy waits (TryStandIn), which then looks at the
//   clock: so the network is unattended for about kPatience at most.
// - One thread at most waits as the deputy; others wait in reserve_, and cost nothing.
// - A leader that stood in for a task that does not end never comes back to be the deputy. The
//   new leader learns that it misses one (MissesDeputy), and the owner of the threads adds one.
//   When the lost one returns it waits in reserve_.
//
// Thread-safe.
class IoCrew {
 public:
  // The network may go unattended for this long. It is short, so that under load the two
  // take turns and overlap, and long enough for a point query to end before.
  static constexpr Duration kPatience = std::chrono::microseconds(60);

  // A leader that is away for longer is not waited for.
  static constexpr Duration kLost = std::chrono::seconds(1);

  // Wraps the handling of one batch of events on the leader's thread.
  class Batch {
   public:
    explicit Batch(IoCrew& crew);
    // Lets the tasks run, here or on a worker thread.
    ~Batch();
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;

    // Returns the batch that this thread is handling, or null.
    static Batch* Current();
    // Notes that a task of the pool waits for the end of the batch.
    void Add(ThreadPool* thread_pool);

   private:
    IoCrew& crew_;
    std::vector<ThreadPool*> thread_pools_;
  };

  // Waits to become the leader: not at all if there is none, else until the leader
  // has been away for longer than kPatience. Returns false once Stop was called.
  bool Lead();
  // Tells whether this thread, which once led, still does. Asked after each
  // batch; a thread that does not lead any more calls Lead again.
  bool StillLeads() const;
  // Tells the leader that nobody has been the deputy for so long that one was lost: at
  // most once in kLost.
  bool MissesDeputy();
  // Wakes the deputy for the last time.
  void Stop();

 private:
  friend class ThreadPool;
  friend class CrewWatcher;  // a test's

  // Leaves the network if a deputy is there to watch it, and returns whether it is.
  bool TryStandIn();
  void EndStandIn();

  mutable std::mutex mutex_;
  std::condition_variable deputy_;
  std::condition_variable reserve_;  // where threads wait that would be the second deputy
  std::thread::id leader_;
  bool deputy_waits_ = false;
  TimePoint alone_since_;
  bool deputy_sleeps_ = false;  // until it is notified, and not only for a moment
  TimePoint away_since_ = TimePoint::max();
  TimePoint last_away_;
  bool stopping_ = false;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RUNTIME_IO_CREW_H_
