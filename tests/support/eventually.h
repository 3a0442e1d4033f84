// Waits for conditions that another thread or process brings about.
#ifndef PENSTOCK_TESTS_SUPPORT_EVENTUALLY_H_
#define PENSTOCK_TESTS_SUPPORT_EVENTUALLY_H_

#include <chrono>
#include <thread>

#include "gtest/gtest.h"

namespace penstock::testing {

// Waits until the condition holds; fails the test after 30 seconds.
template <typename Condition>
void Eventually(const Condition& condition) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    ASSERT_LT(std::chrono::steady_clock::now(), give_up) << "it did not come true";
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_EVENTUALLY_H_
