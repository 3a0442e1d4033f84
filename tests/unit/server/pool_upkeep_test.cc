// What the pool does when nobody asks: closing what is old, keeping a reserve.
#include <array>
#include <atomic>
#include <functional>
#include <future>
#include <thread>

#include "server/database/database.h"
#include "tests/unit/server/pool_fixture.h"

namespace penstock::server {
namespace {

using driver::Reason;
using std::chrono::seconds;

class PoolUpkeepTest : public PoolTest {
 protected:
  // As the ticker and the thread pool do, until nothing is left to do.
  void Settle() {
    for (int i = 0; i < 20 && pool_->Tick(clock_.Now()); ++i) pool_->Maintain();
  }
};

TEST_F(PoolUpkeepTest, OldAndIdleConnectionsAreClosed) {
  Make({.max_open = 2, .max_idle = 2, .max_lifetime = seconds(100), .max_idle_time = seconds(50)});
  Connected().Release();
  clock_.Advance(seconds(49));
  EXPECT_FALSE(pool_->Tick(clock_.Now()));
  clock_.Advance(seconds(1));
  EXPECT_TRUE(pool_->Tick(clock_.Now()));
  // The tick's thread must not block: it closes nothing itself.
  EXPECT_EQ(Count("close"), 0);
  pool_->Maintain();
  EXPECT_EQ(Count("close"), 1);
  EXPECT_EQ(pool_->Stats().open, 0);
  EXPECT_EQ(pool_->Stats().max_idle_time_closed, 1);
}

// Closed together they would be reopened together.
TEST_F(PoolUpkeepTest, LifetimesDiffer) {
  Make({.max_open = 20, .max_idle = 20, .max_lifetime = seconds(1000)}, {.seed = 7});
  {
    std::vector<Lease> leases;
    for (int i = 0; i < 20; ++i) leases.push_back(Connected());
  }
  clock_.Advance(seconds(900) - std::chrono::nanoseconds(1));
  EXPECT_FALSE(pool_->Tick(clock_.Now()));
  clock_.Advance(seconds(50));
  Settle();
  const int64_t halfway = pool_->Stats().max_lifetime_closed;
  EXPECT_GT(halfway, 2);
  EXPECT_LT(halfway, 18);
  clock_.Advance(seconds(51));
  Settle();
  EXPECT_EQ(pool_->Stats().max_lifetime_closed, 20);
}

TEST_F(PoolUpkeepTest, TheReserveIsFilledOneByOneUpToMaxOpen) {
  Make({.max_open = 5, .max_idle = 5, .min_idle = 3});
  EXPECT_TRUE(pool_->Tick(clock_.Now()));
  EXPECT_EQ(Count("connect"), 0);
  pool_->Maintain();
  EXPECT_EQ(pool_->Stats().idle, 1);
  Settle();
  EXPECT_EQ(pool_->Stats().idle, 3);
  EXPECT_EQ(Count("connect"), 3);
  Lease leases[] = {Connected(), Connected(), Connected()};
  Settle();
  EXPECT_EQ(pool_->Stats().idle, 2);
  EXPECT_EQ(pool_->Stats().open, 5);
  EXPECT_FALSE(pool_->Tick(clock_.Now()));
}

TEST_F(PoolUpkeepTest, TheReserveOutlivesTheIdleTimeButNotTheLifetime) {
  Make({.max_open = 3,
        .max_idle = 3,
        .min_idle = 1,
        .max_lifetime = seconds(100),
        .max_idle_time = seconds(10)});
  { Lease leases[] = {Connected(), Connected()}; }
  clock_.Advance(seconds(20));
  Settle();
  EXPECT_EQ(pool_->Stats().idle, 1);
  EXPECT_EQ(pool_->Stats().max_idle_time_closed, 1);
  clock_.Advance(seconds(80));
  Settle();
  EXPECT_EQ(pool_->Stats().max_lifetime_closed, 1);
  EXPECT_EQ(pool_->Stats().idle, 1);
  EXPECT_EQ(Count("connect"), 3);
}

TEST_F(PoolUpkeepTest, TheReserveWaitsForTheBackOff) {
  Make({.max_open = 5, .max_idle = 5, .min_idle = 2}, {.seed = 42});
  script_->connect = [](const driver::Deadline&) {
    return driver::MakeError(Reason::kConnectionFailed, "refused");
  };
  Settle();
  const int64_t attempts = Count("connect");
  EXPECT_LE(attempts, 2);
  EXPECT_FALSE(pool_->Tick(clock_.Now()));
  script_->connect = nullptr;
  clock_.Advance(seconds(10));
  Settle();
  EXPECT_EQ(pool_->Stats().idle, 2);
  EXPECT_EQ(Count("connect"), attempts + 2);
}

// While one is being opened its slot is taken, and nothing is held up.
TEST_F(PoolUpkeepTest, OpeningTakesASlotAndNoLock) {
  Make({.max_open = 2, .max_idle = 2, .min_idle = 1});
  TestWaiter waiter;
  PoolStats meanwhile;
  bool first = true;
  script_->connect = [&](const driver::Deadline&) {
    if (!std::exchange(first, false)) return absl::OkStatus();
    Lease lease = Connected();
    pool_->Acquire(&waiter);
    meanwhile = pool_->Stats();
    return absl::OkStatus();
  };
  pool_->Maintain();
  EXPECT_EQ(meanwhile.in_use, 2);
  EXPECT_EQ(meanwhile.waiting, 1);
  waiter.Take();
}

// Answers on whichever thread it comes.
struct PromisedLease final : Pool::Waiter {
  void OnLease(absl::StatusOr<Lease> lease) override { answer.set_value(std::move(lease)); }
  std::promise<absl::StatusOr<Lease>> answer;
};

// Everything at once on a backend that fails every so often: nobody is
// forgotten, no slot is lost, and there are never too many.
TEST(PoolStressTest, AllIsAtRestInTheEnd) {
  auto script = std::make_shared<fake::Script>();
  std::atomic<int> turns{0};
  script->connect = [&](const driver::Deadline&) {
    return turns++ % 3 == 0 ? absl::UnavailableError("refused") : absl::OkStatus();
  };
  script->healthy = [&] { return turns++ % 7 != 0; };
  fake::FakeDriver driver(script);
  Pool pool(&driver, {.config = {.max_open = 3, .max_idle = 2, .min_idle = 1},
                      .backoff = {.first = std::chrono::microseconds(50),
                                  .cap = std::chrono::microseconds(200)}});
  std::atomic<int> callers{8};
  std::atomic<int> served{0};
  // Alive to the end: a promise may not go while another thread is in set_value.
  std::vector<std::array<PromisedLease, 300>> waiters(8);
  const auto call = [&](std::array<PromisedLease, 300>& mine, bool transactional) {
    for (PromisedLease& waiter : mine) {
      waiter.transactional = transactional;
      pool.Acquire(&waiter);
      absl::StatusOr<Lease> lease = waiter.answer.get_future().get();
      if (lease.ok() && lease->Connect(driver::Deadline::None()).ok()) ++served;
      EXPECT_LE(pool.Stats().open, 3);
    }
    --callers;
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back(call, std::ref(waiters[i]), i % 2 == 0);
  while (callers.load() > 0) {
    if (pool.Tick(Clock::System().Now())) pool.Maintain();
    std::this_thread::yield();
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(served.load(), 0);
  EXPECT_EQ(pool.Stats().in_use, 0);
  EXPECT_EQ(pool.Stats().waiting, 0);
}

// The whole database: what blocks is done on a worker thread.
TEST(DatabaseUpkeepTest, BlocksOnWorkersOnly) {
  auto script = std::make_shared<fake::Script>();
  const std::thread::id ticker = std::this_thread::get_id();
  std::atomic<bool> on_ticker{false};
  script->connect = [&](const driver::Deadline&) {
    if (std::this_thread::get_id() == ticker) on_ticker.store(true);
    return absl::OkStatus();
  };
  DatabaseConfig config;
  config.pool.min_idle = 2;
  Database database("main", config, std::make_unique<fake::FakeDriver>(script));
  while (database.Stats().front().second.idle < 2) {
    database.Tick(Clock::System().Now());
    std::this_thread::yield();
  }
  EXPECT_FALSE(on_ticker.load());
}

}  // namespace
}  // namespace penstock::server
