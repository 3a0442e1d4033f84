// Calls into a driver that do not come back: found, told, and worked around.
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "server/database/health.h"
#include "server/database/statement_queue.h"
#include "server/runtime/thread_pool.h"
#include "tests/unit/server/crew_watcher.h"
#include "tests/unit/server/pool_fixture.h"

namespace penstock::server {
namespace {

using driver::Deadline;
using driver::Reason;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Statements named "stuck" do not end before Release.
class StuckTest : public PoolTest {
 protected:
  StuckTest() {
    script_->run = [this](driver::StatementRun& run) {
      if (run.sql != "stuck") return;
      ++entered_;
      release_.wait();
    };
  }
  ~StuckTest() override { Finish(); }

  // What is stuck uses the test's own objects until it has come back.
  struct Finishes {
    explicit Finishes(StuckTest* of) : test(of) {}
    ~Finishes() { test->Finish(); }
    StuckTest* const test;
  };
  void Finish() {
    Release();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  void Release() {
    if (!released_.exchange(true)) release_.count_down();
  }

  // A thread that runs it on a lease of its own.
  void RunStuck(driver::StatementRun* run, bool transactional = false) {
    const int before = entered_;
    threads_.emplace_back([this, run, transactional] {
      Lease lease = Connected(transactional);
      if (transactional) {
        EXPECT_TRUE(lease->Begin({}).ok());
      }
      run->sql = "stuck";
      driver::StatementRun* const one = run;
      transactional ? lease->Run(*run) : static_cast<void>(lease->RunBatch({&one, 1}));
    });
    while (entered_ == before) std::this_thread::yield();
  }

  // Ticks as time goes by.
  void Pass(Duration time) {
    for (Duration passed{}; passed < time; passed += milliseconds(10)) {
      clock_.Advance(milliseconds(10));
      pool_->Tick(clock_.Now());
    }
  }

  Deadline In(Duration time) const {
    return {.at = clock_.Now() + time, .reason = Reason::kRequestTimeout};
  }

  std::atomic<int> entered_{0};
  std::atomic<bool> released_{false};
  std::latch release_{1};
  std::vector<std::thread> threads_;
};

TEST_F(StuckTest, ACallIsStuckASecondAfterItsDeadlineAndUntilItComesBack) {
  Make({.max_open = 1, .max_idle = 1});
  driver::StatementRun run;
  run.deadline = In(seconds(5));
  const Finishes finishes(this);
  RunStuck(&run);
  Pass(milliseconds(5990));
  EXPECT_EQ(pool_->Stats().stuck, 0);
  EXPECT_TRUE(pool_->TakeStuckCalls().empty());
  Pass(milliseconds(20));
  EXPECT_EQ(pool_->Stats().stuck, 1);
  std::vector<StuckCall> calls = pool_->TakeStuckCalls();
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].sql, "stuck");
  EXPECT_EQ(calls[0].statements, 1u);
  EXPECT_GE(calls[0].over_for, seconds(1));
  EXPECT_FALSE(calls[0].came_back);
  // It is told once.
  Pass(seconds(5));
  EXPECT_TRUE(pool_->TakeStuckCalls().empty());
  Release();
  while (pool_->Stats().in_use > 0) std::this_thread::yield();
  EXPECT_EQ(pool_->Stats().stuck, 0);
  EXPECT_EQ(pool_->Stats().stuck_total, 1);
  Pass(milliseconds(10));
  calls = pool_->TakeStuckCalls();
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_TRUE(calls[0].came_back);
}

TEST_F(StuckTest, ACallIsStuckASecondAfterItsCancellation) {
  Make({.max_open = 1, .max_idle = 1});
  driver::Cancellation cancellation;
  driver::StatementRun run;
  run.cancellation = &cancellation;
  const Finishes finishes(this);
  RunStuck(&run);
  Pass(seconds(60));
  EXPECT_EQ(pool_->Stats().stuck, 0);
  cancellation.Cancel(absl::CancelledError("gone"));
  Pass(milliseconds(1020));
  EXPECT_EQ(pool_->Stats().stuck, 1);
}

TEST_F(StuckTest, ABatchIsNotStuckWhileOneOfItsStatementsIsWaitedFor) {
  Make({.max_open = 1, .max_idle = 1});
  driver::StatementRun first;
  first.sql = "stuck";
  first.deadline = In(seconds(1));
  driver::StatementRun second;
  second.deadline = In(seconds(60));
  const Finishes finishes(this);
  threads_.emplace_back([&] {
    Lease lease = Connected();
    driver::StatementRun* const both[] = {&first, &second};
    lease->RunBatch(both);
  });
  while (entered_ == 0) std::this_thread::yield();
  Pass(seconds(59));
  EXPECT_EQ(pool_->Stats().stuck, 0);
  Pass(seconds(3));
  EXPECT_EQ(pool_->Stats().stuck, 1);
}

TEST_F(StuckTest, StuckConnectionsAreReplacedButNotWithoutLimit) {
  Make({.max_open = 2, .max_idle = 2}, {.replace_stuck = true});
  driver::StatementRun runs[4];
  for (driver::StatementRun& run : runs) run.deadline = In(seconds(1));
  const Finishes finishes(this);
  RunStuck(&runs[0]);
  RunStuck(&runs[1]);
  TestWaiter waiter;
  pool_->Acquire(&waiter);
  EXPECT_FALSE(waiter.answer.has_value());
  Pass(milliseconds(2020));
  EXPECT_EQ(pool_->replaced(), 2);
  // Who waits is served, and a second one.
  { Lease served = waiter.Take(); }
  RunStuck(&runs[2]);
  RunStuck(&runs[3]);
  Pass(milliseconds(2020));
  EXPECT_EQ(pool_->Stats().stuck, 4);
  EXPECT_EQ(pool_->replaced(), 2);
  TestWaiter last;
  pool_->Acquire(&last);
  Pass(seconds(10));
  EXPECT_FALSE(last.answer.has_value());
  Release();
  while (!last.answer.has_value()) std::this_thread::yield();
  { Lease served = last.Take(); }
  while (pool_->Stats().in_use > 0) std::this_thread::yield();
  // What was opened in place of stuck ones is too many now.
  EXPECT_LE(pool_->Stats().open, 2);
}

TEST_F(StuckTest, ATransactionThatIsStuckLeavesItsShareToAnother) {
  Make({.max_open = 2, .max_idle = 2}, {.replace_stuck = true});
  driver::StatementRun run;
  run.deadline = In(seconds(1));
  const Finishes finishes(this);
  RunStuck(&run, true);
  TestWaiter waiter;
  waiter.transactional = true;
  pool_->Acquire(&waiter);
  EXPECT_FALSE(waiter.answer.has_value());
  Pass(milliseconds(2020));
  EXPECT_TRUE(waiter.answer.has_value());
}

TEST_F(StuckTest, OtherwiseItsPlaceStaysTaken) {
  Make({.max_open = 1, .max_idle = 1});
  driver::StatementRun run;
  run.deadline = In(seconds(1));
  const Finishes finishes(this);
  RunStuck(&run);
  TestWaiter waiter;
  waiter.wait_until = In(seconds(4));
  pool_->Acquire(&waiter);
  Pass(seconds(3));
  EXPECT_EQ(pool_->Stats().stuck, 1);
  EXPECT_FALSE(waiter.answer.has_value());
  // It fails at its own limit.
  Pass(seconds(2));
  ASSERT_TRUE(waiter.answer.has_value());
  EXPECT_EQ(driver::GetErrorInfo(waiter.answer->status()).reason, Reason::kRequestTimeout);
}

struct StuckCursor final : driver::Cursor {
  explicit StuckCursor(std::latch* until, std::atomic<int>* count)
      : release(until), entered(count) {}
  absl::StatusOr<bool> Fetch(const driver::BatchLimits&, driver::RowWriter*) override {
    ++*entered;
    release->wait();
    return false;
  }
  const driver::Summary& summary() const override { return nothing; }
  std::latch* const release;
  std::atomic<int>* const entered;
  driver::Summary nothing;
};

TEST_F(StuckTest, ACursorMayBeStuckWhenItsStatementHasGone) {
  Make({.max_open = 1, .max_idle = 1});
  script_->run = [this](driver::StatementRun& run) {
    run.cursor = std::make_unique<StuckCursor>(&release_, &entered_);
  };
  driver::Cancellation cancellation;
  const Finishes finishes(this);
  threads_.emplace_back([&] {
    Lease lease = Connected();
    std::unique_ptr<driver::Cursor> cursor;
    {
      driver::StatementRun run;
      run.cancellation = &cancellation;
      driver::StatementRun* const one = &run;
      lease->RunBatch({&one, 1});
      cursor = std::move(run.cursor);
    }
    EXPECT_TRUE(cursor->Fetch({}, nullptr).ok());
    cursor.reset();
  });
  while (entered_ == 0) std::this_thread::yield();
  cancellation.Cancel(absl::CancelledError("gone"));
  Pass(milliseconds(1020));
  EXPECT_EQ(pool_->Stats().stuck, 1);
}

struct StuckRun final : PendingRun {
  explicit StuckRun(std::string text) : sql_text(std::move(text)) { sql = sql_text; }
  void OnRun() override { done.count_down(); }
  const std::string sql_text;
  std::latch done{1};
};

TEST_F(StuckTest, StatementsOfALaneGoOnBesideThoseThatAreStuck) {
  Make({.max_open = 2, .max_idle = 2}, {.replace_stuck = true});
  ThreadPool thread_pool({.threads = 2}, clock_);
  StatementQueue queue(pool_.get(), &thread_pool, nullptr, {.max_runners = 2}, nullptr, clock_);
  StuckRun first("stuck");
  StuckRun second("stuck");
  StuckRun other("other");
  for (StuckRun* run : {&first, &second}) {
    run->deadline = In(seconds(1));
    const int before = entered_;
    queue.Submit(run);
    // The second runner starts once the first has been busy for a while, long before the
    // deadline, however late the worker threads get to run.
    clock_.Advance(milliseconds(100));
    queue.Tick(clock_.Now());
    while (entered_ == before) std::this_thread::yield();
  }
  queue.Submit(&other);
  Pass(milliseconds(2020));
  thread_pool.ProvideExtra(pool_->replaced());
  queue.Tick(clock_.Now());
  other.done.wait();
  EXPECT_TRUE(other.status.ok()) << other.status;
  Release();
  first.done.wait();
  second.done.wait();
  thread_pool.Stop();
}

TEST(StuckProblemsTest, OnlyWhenNoneIsLeftAreRequestsRefused) {
  Pool::Options readers;
  readers.config.max_open = 3;
  readers.replace_stuck = true;
  PoolStats stats;
  EXPECT_TRUE(StuckProblems("read", stats, readers).empty());
  stats.stuck = 5;
  ASSERT_EQ(StuckProblems("read", stats, readers).size(), 1u);
  EXPECT_FALSE(StuckProblems("read", stats, readers)[0].refuses);
  stats.stuck = 6;
  EXPECT_TRUE(StuckProblems("read", stats, readers)[0].refuses);
  Pool::Options writer;
  writer.config.max_open = 1;
  stats.stuck = 1;
  EXPECT_TRUE(StuckProblems("write", stats, writer)[0].refuses);
  EXPECT_EQ(StuckProblems("write", stats, writer)[0].kind, "stuck_write");
}

TEST(HealthTest, CountsWhatBeginsAndNotWhatLasts) {
  Health health("main", "fake", true);
  const driver::Problem stopped{.kind = "writes_stopped", .text = "since then", .refuses = true};
  const TimePoint now = std::chrono::steady_clock::now();
  health.Update({}, now);
  EXPECT_TRUE(health.counts().empty());
  for (int i = 0; i < 3; ++i) health.Update({stopped}, now);
  EXPECT_EQ(health.counts().at("writes_stopped"), 1);
  health.Update({}, now);
  health.Update({stopped}, now);
  EXPECT_EQ(health.counts().at("writes_stopped"), 2);
}

// The crew of threads that serve the network, of which one does not come back.
TEST(LostDeputyTest, ALeaderWithoutADeputyAsksForOneAndTheLostOneWaitsInReserve) {
  IoCrew crew;
  ASSERT_TRUE(crew.Lead());
  EXPECT_FALSE(crew.MissesDeputy());
  const TimePoint began = Clock::System().Now();
  while (!crew.MissesDeputy()) std::this_thread::yield();
  EXPECT_GE(Clock::System().Now() - began, IoCrew::kLost - milliseconds(10));
  EXPECT_FALSE(crew.MissesDeputy());
  std::atomic<int> ended{0};
  std::thread deputy([&] {
    crew.Lead();
    ++ended;
  });
  while (!CrewWatcher::HasDeputy(crew)) std::this_thread::yield();
  std::thread reserve([&] {
    crew.Lead();
    ++ended;
  });
  EXPECT_FALSE(crew.MissesDeputy());
  crew.Stop();
  deputy.join();
  reserve.join();
  EXPECT_EQ(ended, 2);
}

}  // namespace
}  // namespace penstock::server
