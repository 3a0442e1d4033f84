#include "server/database/statement_queue.h"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "drivers/fake/fake_driver.h"
#include "gtest/gtest.h"
#include "tests/unit/server/fake_clock.h"

namespace penstock::server {
namespace {

using driver::GetErrorInfo;
using driver::Reason;
using Journal = std::vector<std::string>;

// Lets a test wait until something has happened, and hold a statement up.
class Gate {
 public:
  void Open() {
    std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }
  bool opened() const {
    std::lock_guard lock(mutex_);
    return open_;
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

struct TestRun final : PendingRun {
  explicit TestRun(std::string text) : sql_text(std::move(text)) { sql = sql_text; }
  void OnRun() override {
    if (on_run) on_run();
    done.Open();
  }
  std::string sql_text;
  std::function<void()> on_run;
  Gate done;
};

struct FakeCursor final : driver::Cursor {
  absl::StatusOr<bool> Fetch(const driver::BatchLimits&, driver::RowWriter*) override {
    return false;
  }
  const driver::Summary& summary() const override { return nothing; }
  driver::Summary nothing;
};

class StatementQueueTest : public ::testing::Test {
 protected:
  // The first statement named "hold" runs until Release().
  StatementQueueTest() {
    script_->run = [this](driver::StatementRun& run) {
      if (run.sql == "hold") {
        held_.Open();
        release_.Wait();
      }
      if (run.sql == "fails") run.status = absl::InternalError("failed");
      if (run.sql == "streams") run.cursor = std::make_unique<FakeCursor>();
      if (run.sql == "writes") run.wrong_lane = !wrong_lane_seen_.exchange(true);
    };
  }

  void Make(StatementQueue::Options options, int connections = 1) {
    pool_ = std::make_unique<Pool>(
        &driver_, Pool::Options{.config = {.max_open = connections, .max_idle = connections}},
        clock_);
    thread_pool_ = std::make_unique<ThreadPool>(ThreadPool::Options{.threads = 4});
    queue_ = std::make_unique<StatementQueue>(pool_.get(), thread_pool_.get(), nullptr, options,
                                              nullptr, clock_);
  }

  std::shared_ptr<fake::Script> script_ = std::make_shared<fake::Script>();
  fake::FakeDriver driver_{script_};
  FakeClock clock_;
  Gate held_;
  Gate release_;
  std::atomic<bool> wrong_lane_seen_{false};
  std::unique_ptr<Pool> pool_;
  // The thread pool goes first: its threads use the queue.
  std::unique_ptr<StatementQueue> queue_;
  std::unique_ptr<ThreadPool> thread_pool_;
};

TEST_F(StatementQueueTest, WhatGathersWhileTheConnectionIsBusyIsOneBatch) {
  Make({.max_runners = 1});
  TestRun hold("hold");
  TestRun a("a");
  TestRun b("fails");
  TestRun c("c");
  queue_->Submit(&hold);
  held_.Wait();
  for (TestRun* run : {&a, &b, &c}) queue_->Submit(run);
  EXPECT_EQ(queue_->waiting(), 3u);
  release_.Open();
  for (TestRun* run : {&hold, &a, &b, &c}) run->done.Wait();
  EXPECT_TRUE(a.status.ok());
  EXPECT_EQ(b.status.message(), "failed");
  EXPECT_TRUE(c.status.ok());
  thread_pool_.reset();
  EXPECT_EQ(script_->Journal(), (Journal{"connect", "run hold", "run a+fails+c", "reset"}));
}

TEST_F(StatementQueueTest, ABatchTakesFromTheTenantsInTurn) {
  Make({.max_runners = 1});
  TestRun hold("hold");
  queue_->Submit(&hold);
  held_.Wait();
  TestRun a1("a1");
  TestRun a2("a2");
  TestRun a3("a3");
  TestRun b1("b1");
  TestRun b2("b2");
  for (TestRun* run : {&a1, &a2, &a3, &b1, &b2}) {
    run->tenant = run->sql_text.front() == 'a' ? 1 : 2;
    queue_->Submit(run);
  }
  release_.Open();
  for (TestRun* run : {&hold, &a1, &a2, &a3, &b1, &b2}) run->done.Wait();
  thread_pool_.reset();
  EXPECT_EQ(script_->Journal(), (Journal{"connect", "run hold", "run a1+b1+a2+b2+a3", "reset"}));
}

TEST_F(StatementQueueTest, WhoHasSubmittedLittleIsInTheNextBatchBehindThousands) {
  Make({.max_runners = 1});
  TestRun hold("hold");
  queue_->Submit(&hold);
  held_.Wait();
  std::vector<std::unique_ptr<TestRun>> many;
  for (int i = 0; i < 2000; ++i) {
    many.push_back(std::make_unique<TestRun>("a"));
    many.back()->tenant = 1;
    queue_->Submit(many.back().get());
  }
  TestRun last("b");
  last.tenant = 2;
  queue_->Submit(&last);
  release_.Open();
  for (const auto& run : many) run->done.Wait();
  last.done.Wait();
  thread_pool_.reset();
  const Journal journal = script_->Journal();
  ASSERT_GT(journal.size(), 2u);
  EXPECT_EQ(journal[2].rfind("run a+b+a+", 0), 0u) << journal[2];
  EXPECT_EQ(std::count(journal[2].begin(), journal[2].end(), '+'), 255) << "a whole batch";
}

// A cursor takes the connection, and what was taken with it goes back.
TEST_F(StatementQueueTest, WhatABatchGivesBackKeepsItsTurn) {
  Make({.max_runners = 1}, 2);
  TestRun hold("hold");
  queue_->Submit(&hold);
  held_.Wait();
  TestRun streams("streams");
  TestRun a2("a2");
  TestRun b1("b1");
  streams.tenant = a2.tenant = 1;
  b1.tenant = 2;
  for (TestRun* run : {&streams, &a2, &b1}) queue_->Submit(run);
  release_.Open();
  for (TestRun* run : {&streams, &a2, &b1}) run->done.Wait();
  streams.CloseCursor();
  thread_pool_.reset();
  const Journal journal = script_->Journal();
  EXPECT_NE(std::find(journal.begin(), journal.end(), "run b1+a2"), journal.end())
      << ::testing::PrintToString(journal);
}

TEST_F(StatementQueueTest, AFullQueueHasRoomForAnotherTenant) {
  Make({.max_runners = 1, .max_waiting = 2});
  TestRun hold("hold");
  queue_->Submit(&hold);
  held_.Wait();
  TestRun a1("a1");
  TestRun a2("a2");
  TestRun a3("a3");
  TestRun b1("b1");
  b1.tenant = 2;
  for (TestRun* run : {&a1, &a2, &a3, &b1}) queue_->Submit(run);
  a3.done.Wait();
  EXPECT_EQ(GetErrorInfo(a3.status).reason, Reason::kQueueFull);
  EXPECT_EQ(queue_->waiting(), 3u);
  release_.Open();
  for (TestRun* run : {&hold, &a1, &a2, &b1}) run->done.Wait();
  EXPECT_TRUE(b1.status.ok());
  thread_pool_.reset();
}

TEST_F(StatementQueueTest, ACursorTakesTheConnectionWithItAndTheRestGoesOn) {
  TestRun hold("hold");
  TestRun streams("streams");
  TestRun after("after");
  Make({.max_runners = 1}, 2);
  queue_->Submit(&hold);
  held_.Wait();
  queue_->Submit(&streams);
  queue_->Submit(&after);
  release_.Open();
  streams.done.Wait();
  after.done.Wait();
  EXPECT_TRUE(static_cast<bool>(streams.lease));
  EXPECT_EQ(pool_->Stats().in_use >= 1, true);
  streams.CloseCursor();
  thread_pool_.reset();
  EXPECT_EQ(pool_->Stats().in_use, 0);
}

TEST_F(StatementQueueTest, TheWrongLaneIsLeftForTheOther) {
  Make({.max_runners = 1});
  StatementQueue reads(pool_.get(), thread_pool_.get(), queue_.get(), {.max_runners = 1}, nullptr,
                       clock_);
  TestRun writes("writes");
  reads.Submit(&writes);
  writes.done.Wait();
  EXPECT_TRUE(writes.status.ok());
  EXPECT_FALSE(writes.wrong_lane);
  thread_pool_.reset();
}

TEST_F(StatementQueueTest, WhoMayOnlyReadNeverGetsAWriter) {
  Make({.max_runners = 1});
  StatementQueue reads(pool_.get(), thread_pool_.get(), queue_.get(), {.max_runners = 1}, nullptr,
                       clock_);
  TestRun writes("writes");
  driver::Chain chain;
  writes.must_only_read = true;
  writes.chain = &chain;
  reads.Submit(&writes);
  writes.done.Wait();
  EXPECT_EQ(GetErrorInfo(writes.status).reason, Reason::kNotAllowed) << writes.status;
  EXPECT_FALSE(writes.wrong_lane);
  EXPECT_TRUE(chain.failed);
  thread_pool_.reset();
  // It was tried once, by the readers.
  EXPECT_EQ(script_->Journal(), (Journal{"connect", "run writes", "reset"}));
}

TEST_F(StatementQueueTest, AFullQueueRefusesAtOnce) {
  Make({.max_runners = 1, .max_waiting = 1});
  TestRun hold("hold");
  TestRun first("first");
  TestRun second("second");
  queue_->Submit(&hold);
  held_.Wait();
  queue_->Submit(&first);
  queue_->Submit(&second);
  second.done.Wait();
  EXPECT_EQ(GetErrorInfo(second.status).reason, Reason::kQueueFull);
  release_.Open();
  first.done.Wait();
  thread_pool_.reset();
}

TEST_F(StatementQueueTest, TheTickAnswersThoseWhoseTimeIsUpAndThoseWhoAreGone) {
  Make({.max_runners = 1, .acquire_timeout = std::chrono::seconds(5)});
  TestRun hold("hold");
  TestRun late("late");
  TestRun gone("gone");
  TestRun patient("patient");
  driver::Cancellation cancellation;
  gone.cancellation = &cancellation;
  late.deadline = {.at = clock_.Now() + std::chrono::seconds(1), .reason = Reason::kRequestTimeout};
  driver::Chain chain;
  late.chain = &chain;
  queue_->Submit(&hold);
  held_.Wait();
  for (TestRun* run : {&late, &gone, &patient}) queue_->Submit(run);
  queue_->Tick(clock_.Now());
  EXPECT_EQ(queue_->waiting(), 3u);
  clock_.Advance(std::chrono::seconds(1));
  cancellation.Cancel(absl::CancelledError("gone"));
  queue_->Tick(clock_.Now());
  EXPECT_EQ(queue_->waiting(), 1u);
  EXPECT_EQ(GetErrorInfo(late.status).reason, Reason::kRequestTimeout);
  EXPECT_TRUE(chain.failed);
  EXPECT_EQ(gone.status.message(), "gone");
  clock_.Advance(std::chrono::seconds(4));
  queue_->Tick(clock_.Now());
  EXPECT_EQ(GetErrorInfo(patient.status).reason, Reason::kAcquireTimeout);
  release_.Open();
  hold.done.Wait();
  thread_pool_.reset();
}

TEST_F(StatementQueueTest, AFailedConnectFailsWhatWaits) {
  Make({.max_runners = 1});
  script_->connect = [](const driver::Deadline&) {
    return driver::MakeError(Reason::kConnectionFailed, "refused");
  };
  TestRun run("a");
  queue_->Submit(&run);
  run.done.Wait();
  EXPECT_EQ(GetErrorInfo(run.status).reason, Reason::kConnectionFailed);
  thread_pool_.reset();
  EXPECT_EQ(pool_->Stats().in_use, 0);
}

// Or they would ask again, and be given another that was lost with it.
TEST_F(StatementQueueTest, ThePoolKnowsOfALostLinkBeforeItsCallersDo) {
  Make({.max_runners = 1}, 2);
  script_->healthy = [this] { return held_.opened(); };
  TestRun fails("fails");
  PoolStats told;
  fails.on_run = [&] {
    told = pool_->Stats();
    held_.Open();
  };
  queue_->Submit(&fails);
  fails.done.Wait();
  EXPECT_EQ(told.broken_closed, 1);
  EXPECT_EQ(told.in_use, 0);
  TestRun after("after");
  queue_->Submit(&after);
  after.done.Wait();
  thread_pool_.reset();
  EXPECT_EQ(script_->Journal(),
            (Journal{"connect", "run fails", "close", "connect", "run after", "reset"}));
}

// A queue starts its second runner only when the first is stuck.
TEST_F(StatementQueueTest, ASecondRunnerStartsWhenTheFirstIsStuck) {
  Make({.max_runners = 2}, 2);
  TestRun hold("hold");
  TestRun other("other");
  queue_->Submit(&hold);
  held_.Wait();
  queue_->Submit(&other);
  EXPECT_EQ(queue_->waiting(), 1u);
  clock_.Advance(ThreadPool::kBusyAfter * 2);
  queue_->Tick(clock_.Now());
  other.done.Wait();
  release_.Open();
  hold.done.Wait();
  thread_pool_.reset();
}

TEST_F(StatementQueueTest, ARunMaySubmitTheNextFromItsAnswer) {
  Make({.max_runners = 1});
  TestRun second("second");
  TestRun first("first");
  first.on_run = [&] { queue_->Submit(&second); };
  queue_->Submit(&first);
  second.done.Wait();
  thread_pool_.reset();
  EXPECT_EQ(pool_->Stats().in_use, 0);
}

}  // namespace
}  // namespace penstock::server
