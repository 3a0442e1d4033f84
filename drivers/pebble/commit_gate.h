// Who commits while somebody deletes a range.
#ifndef PENSTOCK_DRIVERS_PEBBLE_COMMIT_GATE_H_
#define PENSTOCK_DRIVERS_PEBBLE_COMMIT_GATE_H_

#include <condition_variable>
#include <mutex>

namespace penstock::pebble {

// A key that is not there has nothing in RocksDB that says that a range has it, so that
// locks on keys do not keep a new one out of a range. Instead whoever deletes a range
// closes the gate: no commit is under way then, and none begins, until it has looked
// at the range and has committed itself. Everything else that commits passes through.
//
// Who closes it goes before whoever comes later, so that no stream of commits keeps it
// out. While it is closed nothing must wait for a lock: its holder may wait at the gate.
// Thread-safe; no object of either sort below outlives the gate.
class CommitGate {
 public:
  CommitGate() = default;
  CommitGate(const CommitGate&) = delete;
  CommitGate& operator=(const CommitGate&) = delete;

  // While it lives its thread may commit. Waits while the gate is closed.
  class Passage {
   public:
    explicit Passage(CommitGate* gate);
    ~Passage();
    Passage(const Passage&) = delete;
    Passage& operator=(const Passage&) = delete;

   private:
    CommitGate* const gate_;
  };

  // While it lives nobody else commits. Waits for those who do.
  class Closed {
   public:
    explicit Closed(CommitGate* gate);
    ~Closed();
    Closed(const Closed&) = delete;
    Closed& operator=(const Closed&) = delete;

   private:
    CommitGate* const gate_;
  };

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  std::condition_variable empty_;
  int passing_ = 0;
  bool closed_ = false;
};

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_COMMIT_GATE_H_
