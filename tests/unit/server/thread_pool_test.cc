#include "server/runtime/thread_pool.h"

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <set>
#include <thread>
#include <utility>

#include "gtest/gtest.h"
#include "tests/unit/server/crew_watcher.h"
#include "tests/unit/server/fake_clock.h"

namespace penstock::server {
namespace {

struct FunctionTask final : Task {
  explicit FunctionTask(std::function<void()> f) : function(std::move(f)) {}
  void Run() override { function(); }
  std::function<void()> function;
};

TEST(ThreadPoolTest, RunsTasksInOrderOnOneThread) {
  std::vector<int> order;
  std::vector<std::unique_ptr<FunctionTask>> tasks;
  {
    ThreadPool thread_pool({.threads = 1});
    for (int i = 0; i < 100; ++i) {
      tasks.push_back(std::make_unique<FunctionTask>([&order, i] { order.push_back(i); }));
      thread_pool.Enqueue(tasks.back().get());
    }
  }
  ASSERT_EQ(order.size(), 100u);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(order[static_cast<size_t>(i)], i);
}

TEST(ThreadPoolTest, TasksThatWaitForEachOtherAllGetThreads) {
  ThreadPool thread_pool({.threads = 3});
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
    thread_pool.Enqueue(task);
  }
  done.wait();
}

// For an embedded database a fresh worker is left to take the next task; once
// it has been busy for long, another one is woken.
TEST(ThreadPoolTest, EmbeddedWakesASecondThreadOnlyWhenTheFirstIsStuck) {
  FakeClock clock;
  ThreadPool thread_pool({.threads = 2, .embedded = true}, clock);
  std::latch started(1);
  std::latch release(1);
  std::latch second_done(1);
  FunctionTask stuck([&] {
    started.count_down();
    release.wait();
  });
  FunctionTask second([&] { second_done.count_down(); });
  thread_pool.Enqueue(&stuck);
  started.wait();
  thread_pool.Enqueue(&second);
  EXPECT_EQ(thread_pool.queued(), 1u);
  thread_pool.Tick();
  EXPECT_EQ(thread_pool.queued(), 1u);  // the first is still fresh
  clock.Advance(ThreadPool::kBusyAfter * 2);
  thread_pool.Tick();
  second_done.wait();
  release.count_down();
}

// The crew with a leader, this thread, and a deputy that waits.
class CrewTest : public ::testing::Test {
 protected:
  void StartDeputy() {
    ASSERT_TRUE(crew_.Lead());
    deputy_ = std::thread([this] {
      if (crew_.Lead()) deputy_leads_.count_down();
    });
    while (!CrewWatcher::HasDeputy(crew_)) std::this_thread::yield();
  }
  ~CrewTest() override {
    crew_.Stop();
    if (deputy_.joinable()) deputy_.join();
  }

  // Runs `task` at the end of a batch of events of this thread.
  void RunInBatch(ThreadPool& thread_pool, Task* task) {
    const IoCrew::Batch batch(crew_);
    thread_pool.Enqueue(task);
  }

  IoCrew crew_;
  std::latch deputy_leads_{1};
  std::thread deputy_;
};

struct WhereTask final : Task {
  explicit WhereTask(Kind kind) : Task(kind) {}
  void Run() override {
    ran_on = std::this_thread::get_id();
    done.count_down();
  }
  std::thread::id ran_on;
  std::latch done{1};
};

TEST_F(CrewTest, TheLeaderStandsInForABriefTaskWhileItHasADeputy) {
  ThreadPool thread_pool({.threads = 1, .embedded = true});
  StartDeputy();
  WhereTask task(Task::Kind::kBrief);
  RunInBatch(thread_pool, &task);
  task.done.wait();
  EXPECT_EQ(task.ran_on, std::this_thread::get_id());
}

TEST_F(CrewTest, ATaskIsHeldBackUntilTheBatchEnds) {
  ThreadPool thread_pool({.threads = 1, .embedded = true});
  StartDeputy();
  WhereTask task(Task::Kind::kBlocking);
  {
    const IoCrew::Batch batch(crew_);
    thread_pool.Enqueue(&task);
    EXPECT_EQ(thread_pool.queued(), 1u);
  }
  task.done.wait();
}

TEST_F(CrewTest, WithoutADeputyTheLeaderStaysWithTheNetwork) {
  ThreadPool thread_pool({.threads = 1, .embedded = true});
  ASSERT_TRUE(crew_.Lead());
  WhereTask task(Task::Kind::kBrief);
  RunInBatch(thread_pool, &task);
  task.done.wait();
  EXPECT_NE(task.ran_on, std::this_thread::get_id());
}

TEST_F(CrewTest, ATaskThatBlocksNeverRunsOnAnIoThread) {
  ThreadPool thread_pool({.threads = 1, .embedded = true});
  StartDeputy();
  for (int i = 0; i < 100; ++i) {
    WhereTask task(Task::Kind::kBlocking);
    RunInBatch(thread_pool, &task);
    task.done.wait();
    EXPECT_NE(task.ran_on, std::this_thread::get_id());
  }
}

TEST_F(CrewTest, ANetworkDatabaseNeverRunsOnAnIoThread) {
  ThreadPool thread_pool({.threads = 1, .embedded = false});
  StartDeputy();
  for (int i = 0; i < 100; ++i) {
    WhereTask task(Task::Kind::kBrief);
    RunInBatch(thread_pool, &task);
    task.done.wait();
    EXPECT_NE(task.ran_on, std::this_thread::get_id());
  }
}

TEST_F(CrewTest, TheDeputyTakesOverFromALeaderThatIsAwayForLong) {
  ThreadPool thread_pool({.threads = 1, .embedded = true});
  StartDeputy();
  // This task, on the leader's thread, ends only when the deputy leads.
  FunctionTask task([this] { deputy_leads_.wait(); });
  {
    const IoCrew::Batch batch(crew_);
    thread_pool.Enqueue(&task);
  }
  EXPECT_FALSE(crew_.StillLeads());
}

}  // namespace
}  // namespace penstock::server
