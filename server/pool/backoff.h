// Decides when to try a backend again that refuses connections.
#ifndef PENSTOCK_SERVER_POOL_BACKOFF_H_
#define PENSTOCK_SERVER_POOL_BACKOFF_H_

#include <chrono>
#include <cstdint>
#include <random>

#include "absl/status/status.h"
#include "server/runtime/clock.h"

namespace penstock::server {

// Grants attempts to connect. While they succeed there may be any number at
// once. After a failure there is none until a random time has passed (so that
// many daemons do not come back at once), and then one, the probe; the time
// grows with each probe that fails. The first success makes all well again.
//
// One failure may be chance, so only the second makes the backend dead(): who
// needs a connection waits after the first, and is told the error after that.
//
// Not thread-safe: the pool's lock guards it.
class Backoff {
 public:
  // The n-th pause is a random time up to `first` * 2^(n-1), at most `cap`.
  struct Options {
    Duration first = std::chrono::milliseconds(100);
    Duration cap = std::chrono::seconds(5);
  };

  // The right to connect once. The holder passes it to Succeeded, Failed or Abandoned.
  enum class Attempt : uint8_t { kNone, kFree, kProbe };

  explicit Backoff(const Options& options) : options_(options) {}

  bool failing() const { return failures_ > 0; }
  bool dead() const { return failures_ > 1; }
  // The backend answers, but has no room for another connection.
  bool full() const;

  bool MayStart(TimePoint now) const { return !failing() || (!probing_ && now >= next_); }
  // Returns kNone if no attempt may be made now.
  Attempt Start(TimePoint now);

  void Succeeded();
  void Failed(Attempt attempt, TimePoint now, const absl::Status& why, std::minstd_rand& random);
  // The attempt was not made, or says nothing about the backend.
  void Abandoned(Attempt attempt);

  // Returns the last failure, with its age and the time of the next attempt. Only while failing().
  absl::Status Error(TimePoint now) const;

 private:
  const Options options_;
  int failures_ = 0;  // in a row, of probes but for the first
  bool probing_ = false;
  Duration ceiling_{};
  TimePoint next_;
  TimePoint failed_at_;
  absl::Status why_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_POOL_BACKOFF_H_
