#include "tests/endurance/flood.h"

#include <utility>

namespace penstock::testing {

Flood::Flood(int threads, uint64_t seed, std::function<void(Random*)> once) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this, once, random = Random(seed + static_cast<uint64_t>(i))]() mutable {
      while (!ending_) once(&random);
    });
  }
}

Flood::~Flood() {
  ending_ = true;
  for (std::thread& thread : threads_) thread.join();
}

}  // namespace penstock::testing
