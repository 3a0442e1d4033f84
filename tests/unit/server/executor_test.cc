#include "server/runtime/executor.h"

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <set>
#include <thread>
#include <utility>

#include "gtest/gtest.h"
#include "tests/unit/server/fake_clock.h"

namespace penstock::server {
namespace {

struct FunctionTask final : Task {
  explicit FunctionTask(std::function<void()> f) : function(std::move(f)) {}
  void Run() override { function(); }
  std::function<void()> function;
};

TEST(ExecutorTest, RunsTasksInOrderOnOneThread) {
  std::vector<int> order;
  std::vector<std::unique_ptr<FunctionTask>> tasks;
  {
    Executor executor({.threads = 1});
    for (int i = 0; i < 100; ++i) {
      tasks.push_back(std::make_unique<FunctionTask>([&order, i] { order.push_back(i); }));
      executor.Enqueue(tasks.back().get());
    }
  }
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(ExecutorTest, TasksThatWaitForEachOtherAllGetThreads) {
  Executor executor({.threads = 3});
  std::latch all(3);
  std::latch done(3);
  FunctionTask a([&] {
    all.arrive_and_wait();
    done.count_down();
  });
  FunctionTask b([&] {
    all.arrive_and_wait();
    done.count_down();
  });
  FunctionTask c([&] {
    all.arrive_and_wait();
    done.count_down();
  });
  for (Task* task : {static_cast<Task*>(&a), static_cast<Task*>(&b), static_cast<Task*>(&c)}) {
    executor.Enqueue(task);
  }
  done.wait();
}

// For an embedded database a fresh worker is left to take the next task; once
// it has been busy for long, another one is woken.
TEST(ExecutorTest, EmbeddedWakesASecondThreadOnlyWhenTheFirstIsStuck) {
  FakeClock clock;
  Executor executor({.threads = 2, .embedded = true}, clock);
  std::latch started(1);
  std::latch release(1);
  std::latch second_done(1);
  FunctionTask stuck([&] {
    started.count_down();
    release.wait();
  });
  FunctionTask second([&] { second_done.count_down(); });
  executor.Enqueue(&stuck);
  started.wait();
  executor.Enqueue(&second);
  EXPECT_EQ(executor.queued(), 1u);
  executor.Tick();
  EXPECT_EQ(executor.queued(), 1u);  // the first is still fresh
  clock.Advance(Executor::kBusyAfter * 2);
  executor.Tick();
  second_done.wait();
  release.count_down();
}

TEST(ExecutorTest, AnIoThreadStandsInWhileAnotherIsLeft) {
  FakeClock clock;
  Executor executor({.threads = 1, .embedded = true}, clock);
  IoCrew crew(2);
  std::thread::id ran_on;
  FunctionTask task([&] { ran_on = std::this_thread::get_id(); });
  {
    const IoCrew::Batch batch(crew);
    executor.Enqueue(&task);
    EXPECT_EQ(executor.queued(), 1u);  // held back until the batch ends
  }
  EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(ExecutorTest, TheLastIoThreadNeverStandsIn) {
  FakeClock clock;
  Executor executor({.threads = 1, .embedded = true}, clock);
  IoCrew crew(1);
  std::latch done(1);
  std::thread::id ran_on;
  FunctionTask task([&] {
    ran_on = std::this_thread::get_id();
    done.count_down();
  });
  {
    const IoCrew::Batch batch(crew);
    executor.Enqueue(&task);
  }
  done.wait();
  EXPECT_NE(ran_on, std::this_thread::get_id());
}

TEST(ExecutorTest, NetworkDatabasesNeverRunOnAnIoThread) {
  Executor executor({.threads = 1, .embedded = false});
  IoCrew crew(2);
  std::latch done(1);
  std::thread::id ran_on;
  FunctionTask task([&] {
    ran_on = std::this_thread::get_id();
    done.count_down();
  });
  {
    const IoCrew::Batch batch(crew);
    executor.Enqueue(&task);
  }
  done.wait();
  EXPECT_NE(ran_on, std::this_thread::get_id());
}

}  // namespace
}  // namespace penstock::server
