// Threads that do the same again and again.
#ifndef PENSTOCK_TESTS_ENDURANCE_FLOOD_H_
#define PENSTOCK_TESTS_ENDURANCE_FLOOD_H_

#include <atomic>
#include <functional>
#include <thread>
#include <vector>

#include "tests/endurance/trouble.h"

namespace penstock::testing {

// From construction to destruction, which waits for them.
class Flood {
 public:
  // `once` is called by `threads` threads, each with a generator of its own.
  Flood(int threads, uint64_t seed, std::function<void(Random*)> once);
  ~Flood();
  Flood(const Flood&) = delete;
  Flood& operator=(const Flood&) = delete;

 private:
  std::atomic<bool> ending_{false};
  std::vector<std::thread> threads_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_ENDURANCE_FLOOD_H_
