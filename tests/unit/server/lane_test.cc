#include "server/database/lane.h"

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

class LaneTest : public ::testing::Test {
 protected:
  // The first statement named "hold" runs until Release().
  LaneTest() {
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

  void Make(Lane::Options options, int connections = 1) {
    pool_ = std::make_unique<Pool>(
        &driver_, Pool::Options{.config = {.max_open = connections, .max_idle = connections}},
        clock_);
    executor_ = std::make_unique<Executor>(Executor::Options{.threads = 4});
    lane_ = std::make_unique<Lane>(pool_.get(), executor_.get(), nullptr, options, nullptr, clock_);
  }

  std::shared_ptr<fake::Script> script_ = std::make_shared<fake::Script>();
  fake::FakeDriver driver_{script_};
  FakeClock clock_;
  Gate held_;
  Gate release_;
  std::atomic<bool> wrong_lane_seen_{false};
  std::unique_ptr<Pool> pool_;
  // The executor goes first: its threads use the lane.
  std::unique_ptr<Lane> lane_;
  std::unique_ptr<Executor> executor_;
};

TEST_F(LaneTest, WhatGathersWhileTheConnectionIsBusyIsOneBatch) {
  Make({.max_runners = 1});
  TestRun hold("hold");
  TestRun a("a");
  TestRun b("fails");
  TestRun c("c");
  lane_->Submit(&hold);
  held_.Wait();
  for (TestRun* run : {&a, &b, &c}) lane_->Submit(run);
  EXPECT_EQ(lane_->waiting(), 3u);
  release_.Open();
  for (TestRun* run : {&hold, &a, &b, &c}) run->done.Wait();
  EXPECT_TRUE(a.status.ok());
  EXPECT_EQ(b.status.message(), "failed");
  EXPECT_TRUE(c.status.ok());
  executor_.reset();
  EXPECT_EQ(script_->Journal(), (Journal{"connect", "run hold", "run a+fails+c", "reset"}));
}

TEST_F(LaneTest, ACursorTakesTheConnectionWithItAndTheRestGoesOn) {
  TestRun hold("hold");
  TestRun streams("streams");
  TestRun after("after");
  Make({.max_runners = 1}, 2);
  lane_->Submit(&hold);
  held_.Wait();
  lane_->Submit(&streams);
  lane_->Submit(&after);
  release_.Open();
  streams.done.Wait();
  after.done.Wait();
  EXPECT_TRUE(static_cast<bool>(streams.lease));
  EXPECT_EQ(pool_->Stats().in_use >= 1, true);
  streams.CloseCursor();
  executor_.reset();
  EXPECT_EQ(pool_->Stats().in_use, 0);
}

TEST_F(LaneTest, TheWrongLaneIsLeftForTheOther) {
  Make({.max_runners = 1});
  Lane reads(pool_.get(), executor_.get(), lane_.get(), {.max_runners = 1}, nullptr, clock_);
  TestRun writes("writes");
  reads.Submit(&writes);
  writes.done.Wait();
  EXPECT_TRUE(writes.status.ok());
  EXPECT_FALSE(writes.wrong_lane);
  executor_.reset();
}

TEST_F(LaneTest, AFullQueueRefusesAtOnce) {
  Make({.max_runners = 1, .max_waiting = 1});
  TestRun hold("hold");
  TestRun first("first");
  TestRun second("second");
  lane_->Submit(&hold);
  held_.Wait();
  lane_->Submit(&first);
  lane_->Submit(&second);
  second.done.Wait();
  EXPECT_EQ(GetErrorInfo(second.status).reason, Reason::kQueueFull);
  release_.Open();
  first.done.Wait();
  executor_.reset();
}

TEST_F(LaneTest, TheTickAnswersThoseWhoseTimeIsUpAndThoseWhoAreGone) {
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
  lane_->Submit(&hold);
  held_.Wait();
  for (TestRun* run : {&late, &gone, &patient}) lane_->Submit(run);
  lane_->Tick(clock_.Now());
  EXPECT_EQ(lane_->waiting(), 3u);
  clock_.Advance(std::chrono::seconds(1));
  cancellation.Cancel(absl::CancelledError("gone"));
  lane_->Tick(clock_.Now());
  EXPECT_EQ(lane_->waiting(), 1u);
  EXPECT_EQ(GetErrorInfo(late.status).reason, Reason::kRequestTimeout);
  EXPECT_TRUE(chain.failed);
  EXPECT_EQ(gone.status.message(), "gone");
  clock_.Advance(std::chrono::seconds(4));
  lane_->Tick(clock_.Now());
  EXPECT_EQ(GetErrorInfo(patient.status).reason, Reason::kAcquireTimeout);
  release_.Open();
  hold.done.Wait();
  executor_.reset();
}

TEST_F(LaneTest, AFailedConnectFailsWhatWaits) {
  Make({.max_runners = 1});
  script_->connect = [](const driver::Deadline&) {
    return driver::MakeError(Reason::kConnectionFailed, "refused");
  };
  TestRun run("a");
  lane_->Submit(&run);
  run.done.Wait();
  EXPECT_EQ(GetErrorInfo(run.status).reason, Reason::kConnectionFailed);
  executor_.reset();
  EXPECT_EQ(pool_->Stats().in_use, 0);
}

// Or they would ask again, and be given another that was lost with it.
TEST_F(LaneTest, ThePoolKnowsOfALostLinkBeforeItsCallersDo) {
  Make({.max_runners = 1}, 2);
  script_->healthy = [this] { return held_.opened(); };
  TestRun fails("fails");
  PoolStats told;
  fails.on_run = [&] {
    told = pool_->Stats();
    held_.Open();
  };
  lane_->Submit(&fails);
  fails.done.Wait();
  EXPECT_EQ(told.broken_closed, 1);
  EXPECT_EQ(told.in_use, 0);
  TestRun after("after");
  lane_->Submit(&after);
  after.done.Wait();
  executor_.reset();
  EXPECT_EQ(script_->Journal(),
            (Journal{"connect", "run fails", "close", "connect", "run after", "reset"}));
}

// A lane starts its second runner only when the first is stuck.
TEST_F(LaneTest, ASecondRunnerStartsWhenTheFirstIsStuck) {
  Make({.max_runners = 2}, 2);
  TestRun hold("hold");
  TestRun other("other");
  lane_->Submit(&hold);
  held_.Wait();
  lane_->Submit(&other);
  EXPECT_EQ(lane_->waiting(), 1u);
  clock_.Advance(Executor::kBusyAfter * 2);
  lane_->Tick(clock_.Now());
  other.done.Wait();
  release_.Open();
  hold.done.Wait();
  executor_.reset();
}

TEST_F(LaneTest, ARunMaySubmitTheNextFromItsAnswer) {
  Make({.max_runners = 1});
  TestRun second("second");
  TestRun first("first");
  first.on_run = [&] { lane_->Submit(&second); };
  lane_->Submit(&first);
  second.done.Wait();
  executor_.reset();
  EXPECT_EQ(pool_->Stats().in_use, 0);
}

}  // namespace
}  // namespace penstock::server
