// Every call that the daemon serves at the moment.
#ifndef PENSTOCK_SERVER_REGISTRY_CALL_REGISTRY_H_
#define PENSTOCK_SERVER_REGISTRY_CALL_REGISTRY_H_

#include <condition_variable>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "server/runtime/clock.h"

namespace penstock::server {

// One call, streaming or not. It adds itself to the CallRegistry when it starts and removes
// itself before it is destroyed.
class RegisteredCall {
 public:
  // Looks at the limits that need not be exact to the millisecond (idle, total,
  // stall). The ticker's thread calls it, concurrently with everything else; it
  // must not block.
  virtual void Tick(TimePoint now) = 0;

  // The daemon is about to stop: an idle call ends now, a busy one after
  // its current request. With `now`, whatever runs is cancelled. Called like Tick.
  virtual void Drain(bool now) = 0;

  // Keeps the call from being destroyed until Unref. Returns false if it is about to be
  // destroyed: then it must not be touched any more.
  virtual bool TryRef() = 0;
  virtual void Unref() = 0;

 protected:
  ~RegisteredCall() = default;

 private:
  friend class CallRegistry;
  // Counts the calls of its peer; a node of CallRegistry::by_peer_.
  std::unordered_map<std::string, int>::value_type* by_peer_ = nullptr;
  RegisteredCall* previous_ = nullptr;
  RegisteredCall* next_ = nullptr;
};

// Knows every call in flight, bounds their number, and drains them. It owns none of them.
// Thread-safe.
class CallRegistry {
 public:
  // Admits `max_sessions` calls at once, and `max_by_peer` of one peer.
  CallRegistry(int max_sessions, int max_by_peer)
      : max_sessions_(max_sessions), max_by_peer_(max_by_peer) {}

  // Fails with kLimitExceeded, naming the limit, if there are too many calls already, in all
  // or of this peer. The call is then not registered; it has not begun, and may be made again.
  absl::Status Add(RegisteredCall* call, const std::string& peer);
  void Remove(RegisteredCall* call);

  int size() const;
  void Tick(TimePoint now);

  // Drains every call, and from now on each that is added.
  void Drain(bool now);
  bool draining() const;

  // Returns true once no call is left, false if some are left at `until`.
  bool WaitUntilEmpty(TimePoint until);

 private:
  // Returns the calls that are there now; the caller unrefs each.
  std::vector<RegisteredCall*> RefAll() const;

  // Returns why a call of this peer is refused, or OK.
  absl::Status RefusalLocked(const std::string& peer) const;

  const int max_sessions_;
  const int max_by_peer_;
  mutable std::mutex mutex_;
  std::condition_variable empty_;
  std::unordered_map<std::string, int> by_peer_;
  RegisteredCall* first_ = nullptr;
  int size_ = 0;
  bool draining_ = false;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_REGISTRY_CALL_REGISTRY_H_
