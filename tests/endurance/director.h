// Decides what happens to the daemon next.
#ifndef PENSTOCK_TESTS_ENDURANCE_DIRECTOR_H_
#define PENSTOCK_TESTS_ENDURANCE_DIRECTOR_H_

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <vector>

#include "tests/endurance/trouble.h"
#include "tests/endurance/watch.h"

namespace penstock::testing {

// The same seed makes the same decisions. One thread at a time.
class Director {
 public:
  // `watch` outlives it.
  Director(std::vector<Trouble> troubles, uint64_t seed, Watch* watch);

  // One to three troubles together, for about a second. When it returns they are over.
  void Round();
  // Something else that is to be known when a run is looked at.
  void Note(const std::string& what);
  // The last events, a line each, with the milliseconds since the beginning.
  std::string history() const;

 private:
  // Those of this round. Each comes once before any comes again.
  std::vector<const Trouble*> Choose();

  const std::vector<Trouble> troubles_;
  // Those that have yet to come, the next one last.
  std::vector<const Trouble*> deck_;
  Random random_;
  Watch* const watch_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  std::deque<std::string> history_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_ENDURANCE_DIRECTOR_H_
