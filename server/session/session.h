// What is in flight: every stream and call that the daemon serves.
#ifndef PENSTOCK_SERVER_SESSION_SESSION_H_
#define PENSTOCK_SERVER_SESSION_SESSION_H_

#include <condition_variable>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "server/runtime/clock.h"

namespace penstock::server {

// One stream or call. It adds itself to Sessions when it starts and removes
// itself before it is destroyed.
class Session {
 public:
  // Looks at the limits that are not exact to the millisecond (idle, total,
  // stall). Called by the ticker's thread, concurrently with everything else; it
  // must not block.
  virtual void Tick(TimePoint now) = 0;

  // The daemon is about to stop: what is idle ends now, what runs ends after
  // the current request. With `now`, whatever runs is cancelled. Called like Tick.
  virtual void Drain(bool now) = 0;

  // Keeps it from being destroyed until Unref. False: it is about to be, and must
  // not be touched any more.
  virtual bool TryRef() = 0;
  virtual void Unref() = 0;

 protected:
  ~Session() = default;

 private:
  friend class Sessions;
  // How many its peer has, in Sessions.
  std::unordered_map<std::string, int>::value_type* by_peer_ = nullptr;
  Session* previous_ = nullptr;
  Session* next_ = nullptr;
};

// The register of them, which does not own them. Thread-safe.
class Sessions {
 public:
  // So many at once, and so many of them of one peer.
  Sessions(int max_sessions, int max_by_peer)
      : max_sessions_(max_sessions), max_by_peer_(max_by_peer) {}

  // kLimitExceeded, which names the limit: there are too many already, in all or of this
  // peer. The session is then not registered; it has not begun, and may come again.
  absl::Status Add(Session* session, const std::string& peer);
  void Remove(Session* session);

  int size() const;
  void Tick(TimePoint now);

  // Sessions added from now on are drained at once as well.
  void Drain(bool now);
  bool draining() const;

  // True once no session is left, false if some are at `until`.
  bool WaitUntilEmpty(TimePoint until);

 private:
  // Those that are there now, each referred to.
  std::vector<Session*> RefAll() const;

  // Why a session of this peer is refused; OK: it is not.
  absl::Status RefusalLocked(const std::string& peer) const;

  const int max_sessions_;
  const int max_by_peer_;
  mutable std::mutex mutex_;
  std::condition_variable empty_;
  std::unordered_map<std::string, int> by_peer_;
  Session* first_ = nullptr;
  int size_ = 0;
  bool draining_ = false;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_SESSION_SESSION_H_
