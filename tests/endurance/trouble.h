// What happens to a daemon, and who is told when something comes of it that must not.
#ifndef PENSTOCK_TESTS_ENDURANCE_TROUBLE_H_
#define PENSTOCK_TESTS_ENDURANCE_TROUBLE_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "tests/endurance/supervised.h"
#include "tests/support/link_proxy.h"
#include "tests/support/pgwire_proxy.h"

namespace penstock::testing {

// What was found to be wrong. Thread-safe.
class Complaints {
 public:
  void Add(const std::string& what) {
    const std::lock_guard lock(mutex_);
    // One fault that goes on is not to bury the others.
    if (list_.size() < 50 && std::ranges::find(list_, what) == list_.end()) list_.push_back(what);
  }
  std::vector<std::string> list() const {
    const std::lock_guard lock(mutex_);
    return list_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> list_;
};

using Random = std::mt19937_64;

// From `least` to `most`.
inline int64_t Between(Random* random, int64_t least, int64_t most) {
  return std::uniform_int_distribution<int64_t>(least, most)(*random);
}

// What troubles are made with. All of it outlives them.
struct Stage {
  Supervised* daemon;
  // Between the daemon and half of its clients, and between it and PostgreSQL.
  LinkProxy* link;
  PgwireProxy* server;
  Complaints* complaints;
};

struct Trouble {
  std::string name;
  // Two of one group do not go together: they would undo each other.
  std::string group;
  // The daemon need not answer over HTTP meanwhile.
  bool silences = false;
  // Begins it, and returns how to end it. Called by the thread that starts the daemon.
  std::function<std::function<void()>(Random*)> begin;
};

// The daemon's descriptors, disk, links and signals.
std::vector<Trouble> SurroundingTroubles(const Stage& stage);
// Clients that break the rules, or that take and do not give.
std::vector<Trouble> HostileTroubles(const Stage& stage);

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_ENDURANCE_TROUBLE_H_
