#include "server/auth/failed_attempts.h"

#include <chrono>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::server {

using std::chrono::seconds;

absl::Status FailedAttempts::Note(const std::string& peer, driver::TimePoint now) {
  driver::TimePoint until;
  {
    std::lock_guard lock(mutex_);
    Peer& found = FindLocked(peer, now);
    if (found.failures < kMost) {
      ++found.failures;
      return absl::OkStatus();
    }
    until = found.began + kPeriod;
  }
  return driver::MakeErrorWithHint(
      driver::Reason::kLimitExceeded,
      fmt::format("{} calls of this address had no right credentials within {} s", kMost,
                  std::chrono::ceil<seconds>(kPeriod).count()),
      fmt::format("present right credentials, or wait for {} s to be told what is wrong with these",
                  std::chrono::ceil<seconds>(until - now).count()));
}

FailedAttempts::Peer& FailedAttempts::FindLocked(const std::string& peer, driver::TimePoint now) {
  const auto known = by_name_.find(peer);
  if (known != by_name_.end()) {
    peers_.splice(peers_.begin(), peers_, known->second);
  } else {
    if (peers_.size() >= kMostPeers) {
      by_name_.erase(peers_.back().name);
      peers_.pop_back();
    }
    peers_.push_front({.name = peer, .began = now});
    by_name_.emplace(peer, peers_.begin());
  }
  Peer& found = peers_.front();
  if (now - found.began >= kPeriod) {
    found.began = now;
    found.failures = 0;
  }
  return found;
}

size_t FailedAttempts::peers() const {
  std::lock_guard lock(mutex_);
  return peers_.size();
}

}  // namespace penstock::server
