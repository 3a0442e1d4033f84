// Who keeps failing to say who he is.
#ifndef PENSTOCK_SERVER_AUTH_FAILED_ATTEMPTS_H_
#define PENSTOCK_SERVER_AUTH_FAILED_ATTEMPTS_H_

#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

#include "absl/status/status.h"
#include "drivers/api/deadline.h"

namespace penstock::server {

// Counts the calls of each peer that have no right credentials. Calls with right ones never come
// here, so that nobody is kept out by others at the same address. Thread-safe.
class FailedAttempts {
 public:
  // A peer may fail so often within kPeriod.
  static constexpr int kMost = 10;
  static constexpr driver::Duration kPeriod = std::chrono::seconds(10);
  // So many peers are remembered, those that failed last.
  static constexpr size_t kMostPeers = 1024;

  FailedAttempts() = default;
  FailedAttempts(const FailedAttempts&) = delete;
  FailedAttempts& operator=(const FailedAttempts&) = delete;

  // Notes a failure of a peer, by its PeerName. Returns OK if he may be told what was wrong, and
  // kLimitExceeded, which tells nothing of it, if he has failed too often.
  absl::Status Note(const std::string& peer, driver::TimePoint now);

  // The number of peers that are remembered.
  size_t peers() const;

 private:
  struct Peer {
    std::string name;
    driver::TimePoint began;
    int failures = 0;
  };
  using Peers = std::list<Peer>;

  // Returns the peer, as the one that failed last.
  Peer& FindLocked(const std::string& peer, driver::TimePoint now);

  mutable std::mutex mutex_;
  Peers peers_;  // who failed last stands first
  std::unordered_map<std::string, Peers::iterator> by_name_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_AUTH_FAILED_ATTEMPTS_H_
