#include "drivers/pebble/commit_gate.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace penstock::pebble {
namespace {

TEST(CommitGate, ManyPassAtOnce) {
  CommitGate gate;
  const CommitGate::Passage one(&gate);
  const CommitGate::Passage other(&gate);
}

TEST(CommitGate, NobodyPassesWhileItIsClosedAndItIsNotKeptOpen) {
  CommitGate gate;
  std::atomic<int> passing = 0;
  std::atomic<int> closers = 0;
  std::atomic<int64_t> passed = 0;
  std::atomic<bool> stop = false;
  std::vector<std::thread> threads;
  // At no time is there nobody who passes, or wants to.
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        const CommitGate::Passage passage(&gate);
        ++passing;
        EXPECT_EQ(closers, 0);
        ++passed;
        --passing;
      }
    });
  }
  std::vector<std::thread> closing;
  for (int i = 0; i < 2; ++i) {
    closing.emplace_back([&] {
      for (int round = 0; round < 200; ++round) {
        const CommitGate::Closed closed(&gate);
        EXPECT_EQ(++closers, 1);
        EXPECT_EQ(passing, 0);
        --closers;
      }
    });
  }
  for (std::thread& thread : closing) thread.join();
  // And those go on.
  const int64_t before = passed;
  while (passed < before + 100) std::this_thread::yield();
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace penstock::pebble
