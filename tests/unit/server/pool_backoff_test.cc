// A backend that does not let us in.
#include <thread>

#include "gmock/gmock.h"
#include "server/pool/backoff.h"
#include "tests/unit/server/pool_fixture.h"

namespace penstock::server {
namespace {

using driver::GetErrorInfo;
using driver::MakeError;
using driver::Reason;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Attempt = Backoff::Attempt;
using ::testing::HasSubstr;

const absl::Status& Refused() {
  static const auto* const status =
      new absl::Status(MakeError(Reason::kConnectionFailed, "refused"));
  return *status;
}

// The longest pause after each of ten failures in a row, over many seeds.
std::vector<Duration> LongestPauses(bool* different) {
  std::vector<Duration> longest(10);
  std::vector<Duration> first_pauses;
  for (uint32_t seed = 1; seed <= 200; ++seed) {
    Backoff backoff({.first = milliseconds(100), .cap = seconds(5)});
    std::minstd_rand random(seed * 7919);
    TimePoint now{};
    for (Duration& pause : longest) {
      const Attempt attempt = backoff.Start(now);
      EXPECT_NE(attempt, Attempt::kNone);
      backoff.Failed(attempt, now, Refused(), random);
      Duration waited{};
      while (!backoff.MayStart(now + waited)) waited += milliseconds(1);
      pause = std::max(pause, waited);
      now += waited;
    }
    first_pauses.push_back(longest.front());
  }
  *different = first_pauses.front() != first_pauses.back();
  return longest;
}

TEST(BackoffTest, PausesGrowToTheCapAtRandom) {
  bool different = false;
  const std::vector<Duration> longest = LongestPauses(&different);
  EXPECT_TRUE(different);
  Duration ceiling = milliseconds(100);
  for (const Duration pause : longest) {
    EXPECT_LE(pause, ceiling);
    EXPECT_GT(pause, ceiling * 8 / 10);  // of 200 random ones
    ceiling = std::min<Duration>(2 * ceiling, seconds(5));
  }
}

TEST(BackoffTest, AttemptsThatBeganTogetherFailAsOne) {
  Backoff backoff({});
  std::minstd_rand random(1);
  const TimePoint now{};
  const Attempt first = backoff.Start(now);
  const Attempt second = backoff.Start(now);
  EXPECT_EQ(second, Attempt::kFree);
  backoff.Failed(first, now, Refused(), random);
  backoff.Failed(second, now, Refused(), random);
  EXPECT_TRUE(backoff.failing());
  EXPECT_FALSE(backoff.dead());
}

class DeadBackendTest : public PoolTest {
 protected:
  void Make(PoolConfig config) {
    config.connect_timeout = seconds(5);
    PoolTest::Make(config, {.seed = 42});
    script_->connect = [this](const driver::Deadline&) {
      clock_.Advance(connect_takes_);
      return connect_status_;
    };
  }

  // Tries as a request would, and says how that went.
  absl::Status Try(const driver::Deadline& deadline = driver::Deadline::None()) {
    TestWaiter waiter;
    pool_->Acquire(&waiter);
    if (!waiter.answer.has_value()) {
      clock_.Advance(seconds(10));
      pool_->Tick(clock_.Now());
    }
    if (!waiter.answer->ok()) return waiter.answer->status();
    return (*waiter.answer)->Connect(deadline);
  }

  // Two failures in a row.
  void Die() {
    connect_status_ = Refused();
    EXPECT_FALSE(Try().ok());
    clock_.Advance(seconds(10));
    EXPECT_FALSE(Try().ok());
  }

  absl::Status connect_status_;
  Duration connect_takes_{};
};

TEST_F(DeadBackendTest, TheFirstFailureFailsOnlyWhoTried) {
  Make({.max_open = 1, .max_idle = 1});
  connect_status_ = Refused();
  Lease tried = Acquired();
  TestWaiter waiter;
  pool_->Acquire(&waiter);
  EXPECT_EQ(tried.Connect(driver::Deadline::None()).message(), "refused");
  tried.Release();
  EXPECT_FALSE(waiter.answer.has_value());
  EXPECT_TRUE(pool_->Stats().backing_off);
  // After the pause it makes the next attempt.
  connect_status_ = absl::OkStatus();
  clock_.Advance(milliseconds(100));
  pool_->Tick(clock_.Now());
  Lease lease = waiter.Take();
  EXPECT_TRUE(lease.Connect(driver::Deadline::None()).ok());
  EXPECT_FALSE(pool_->Stats().backing_off);
}

TEST_F(DeadBackendTest, WhileItIsDeadCallersAreToldAtOnce) {
  Make({.max_open = 4, .max_idle = 4});
  Die();
  TestWaiter waiter;
  pool_->Acquire(&waiter);
  ASSERT_TRUE(waiter.answer.has_value());
  const absl::Status& status = waiter.answer->status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(GetErrorInfo(status).reason, Reason::kConnectionFailed);
  EXPECT_EQ(GetErrorInfo(status).retry, driver::Retry::kStatement);
  EXPECT_THAT(std::string(status.message()),
              ::testing::MatchesRegex("connecting to the backend failed 0 ms ago; the next attempt "
                                      "is due in [0-9]+ ms: refused"));
  EXPECT_EQ(Count("connect"), 2);
  EXPECT_EQ(pool_->Stats().connect_failures, 2);
}

TEST_F(DeadBackendTest, OneAtATimeProbesIt) {
  Make({.max_open = 4, .max_idle = 4});
  Die();
  clock_.Advance(seconds(10));
  Lease probe = Acquired();
  TestWaiter other;
  pool_->Acquire(&other);
  ASSERT_TRUE(other.answer.has_value());
  EXPECT_THAT(std::string(other.answer->status().message()),
              HasSubstr("failed 10.0 s ago; another attempt is under way: refused"));
  // A probe that was given back unused is the next one's.
  probe.Release();
  connect_status_ = absl::OkStatus();
  Lease first = Connected();
  Lease second = Connected();
  EXPECT_EQ(Count("connect"), 4);
}

TEST_F(DeadBackendTest, ConnectionsThatWorkAreUsedAllTheWhile) {
  Make({.max_open = 3, .max_idle = 3});
  Lease works = Connected();
  Die();
  works.Release();
  Lease again = Connected();
  TestWaiter other;
  pool_->Acquire(&other);
  ASSERT_TRUE(other.answer.has_value());
  EXPECT_FALSE(other.answer->ok());
}

TEST_F(DeadBackendTest, AHundredCallersMakeFewAttempts) {
  Make({.max_open = 4, .max_idle = 4});
  connect_status_ = Refused();
  std::vector<TestWaiter> waiters(100);
  for (TestWaiter& waiter : waiters) pool_->Acquire(&waiter);
  int failed = 0;
  for (int turn = 0; turn < 100 && failed < 100; ++turn) {
    for (TestWaiter& waiter : waiters) {
      if (!waiter.answer.has_value()) continue;
      if (waiter.answer->ok()) {
        EXPECT_FALSE((*waiter.answer)->Connect(driver::Deadline::None()).ok());
      }
      ++failed;
      waiter.answer.reset();
    }
    clock_.Advance(milliseconds(10));
    pool_->Tick(clock_.Now());
  }
  EXPECT_EQ(failed, 100);
  // Those who came together, and one probe.
  EXPECT_EQ(Count("connect"), 5);
  EXPECT_EQ(pool_->Stats().in_use, 0);
}

// A restart: what was open is lost, and nothing can be opened for a while.
TEST_F(DeadBackendTest, LostConnectionsDoNotStormItEither) {
  Make({.max_open = 8, .max_idle = 8});
  {
    std::vector<Lease> leases;
    for (int i = 0; i < 8; ++i) leases.push_back(Connected());
  }
  connect_status_ = Refused();
  script_->healthy = [] { return false; };
  std::vector<Lease> leases;
  for (int i = 0; i < 8; ++i) leases.push_back(Acquired());
  for (Lease& lease : leases) EXPECT_FALSE(lease.Connect(driver::Deadline::None()).ok());
  leases.clear();
  EXPECT_EQ(Count("connect"), 9);
  EXPECT_EQ(pool_->Stats().broken_closed, 8);
  EXPECT_EQ(pool_->Stats().open, 0);
}

TEST_F(DeadBackendTest, RefusedCredentialsAreToldAsSuch) {
  Make({.max_open = 1, .max_idle = 1});
  connect_status_ = MakeError(Reason::kBackendCredentials, "wrong password");
  Try().IgnoreError();
  clock_.Advance(seconds(10));
  Try().IgnoreError();
  const int64_t attempts = Count("connect");
  const absl::Status status = Try();
  EXPECT_EQ(GetErrorInfo(status).reason, Reason::kBackendCredentials);
  EXPECT_THAT(std::string(status.message()), HasSubstr(" ago; the next attempt is due in "));
  EXPECT_EQ(Count("connect"), attempts);
}

// Its own deadline ran out, not the backend's patience.
TEST_F(DeadBackendTest, ACallerInAHurryDoesNotMakeItDead) {
  Make({.max_open = 1, .max_idle = 1});
  const auto within = [this](Duration time) {
    return driver::Deadline{.at = clock_.Now() + time, .reason = Reason::kRequestTimeout};
  };
  script_->connect = [this](const driver::Deadline& deadline) {
    clock_.Advance(deadline.at - clock_.Now());
    return deadline.Error();
  };
  EXPECT_EQ(GetErrorInfo(Try(within(milliseconds(1)))).reason, Reason::kRequestTimeout);
  EXPECT_FALSE(pool_->Stats().backing_off);
  // Two seconds are enough to tell.
  EXPECT_EQ(GetErrorInfo(Try(within(seconds(2)))).reason, Reason::kRequestTimeout);
  EXPECT_TRUE(pool_->Stats().backing_off);
  // Others are not told of a time of their own that ran out.
  clock_.Advance(seconds(10));
  Try(within(seconds(2))).IgnoreError();
  EXPECT_EQ(GetErrorInfo(Try()).reason, Reason::kConnectionFailed);
  // One whose time is up already makes no attempt.
  clock_.Advance(seconds(10));
  const int64_t attempts = Count("connect");
  EXPECT_EQ(GetErrorInfo(Try(within({}))).reason, Reason::kRequestTimeout);
  EXPECT_EQ(Count("connect"), attempts);
}

// Callers wait for the connections there are, and the upkeep tries for more.
TEST_F(DeadBackendTest, AFullBackendIsNotDead) {
  Make({.max_open = 3, .max_idle = 3});
  Lease works = Connected();
  connect_status_ = MakeError(Reason::kBackendResources, "too many connections");
  connect_takes_ = seconds(2);
  const driver::Deadline limit{.at = clock_.Now() + seconds(1), .reason = Reason::kRequestTimeout};
  EXPECT_EQ(GetErrorInfo(Try(limit)).reason, Reason::kBackendResources);
  connect_takes_ = {};
  clock_.Advance(seconds(10));
  TestWaiter first;
  TestWaiter second;
  pool_->Acquire(&first);
  pool_->Acquire(&second);
  EXPECT_TRUE(pool_->Tick(clock_.Now()));
  pool_->Maintain();
  EXPECT_EQ(Count("connect"), 3);
  EXPECT_FALSE(first.answer.has_value());
  works.Release();
  Lease served = first.Take();
  EXPECT_TRUE(served.Connect(driver::Deadline::None()).ok());
  EXPECT_FALSE(second.answer.has_value());
  connect_status_ = absl::OkStatus();
  clock_.Advance(seconds(10));
  EXPECT_TRUE(pool_->Tick(clock_.Now()));
  pool_->Maintain();
  EXPECT_TRUE(second.Take().Connect(driver::Deadline::None()).ok());
}

// They tried at once, before any of them knew.
TEST_F(DeadBackendTest, WhoFindsTheBackendFullIsHandedAnothersConnection) {
  Make({.max_open = 3, .max_idle = 3});
  Lease works = Connected();
  connect_status_ = MakeError(Reason::kBackendResources, "too many connections");
  Lease second = Acquired();
  Lease third = Acquired();
  absl::Status outcomes[2];
  std::thread callers[2];
  for (int i = 0; i < 2; ++i) {
    callers[i] = std::thread([lease = i == 0 ? &second : &third, outcome = &outcomes[i]] {
      *outcome = lease->Connect(driver::Deadline::None());
      lease->Release();
    });
  }
  while (Count("connect") < 3) std::this_thread::yield();
  works.Release();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(outcomes[0], absl::OkStatus());
  EXPECT_EQ(outcomes[1], absl::OkStatus());
  EXPECT_EQ(pool_->Stats().open, 1);
}

TEST_F(DeadBackendTest, WhoFindsTheBackendFullWithNobodyToWaitForIsTold) {
  Make({.max_open = 3, .max_idle = 3});
  connect_status_ = MakeError(Reason::kBackendResources, "too many connections");
  EXPECT_EQ(GetErrorInfo(Try()).reason, Reason::kBackendResources);
}

}  // namespace
}  // namespace penstock::server
