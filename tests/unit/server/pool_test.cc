#include "server/pool/pool.h"

#include <memory>
#include <optional>
#include <utility>

#include "drivers/fake/fake_driver.h"
#include "gtest/gtest.h"
#include "tests/unit/server/fake_clock.h"

namespace penstock::server {
namespace {

using driver::GetErrorInfo;
using driver::Reason;
using std::chrono::seconds;

struct TestWaiter final : Pool::Waiter {
  void OnLease(absl::StatusOr<Lease> lease) override { answer.emplace(std::move(lease)); }
  // The lease, which must have been granted.
  Lease Take() {
    EXPECT_TRUE(answer.has_value() && answer->ok());
    Lease lease = *std::move(*answer);
    answer.reset();
    return lease;
  }
  std::optional<absl::StatusOr<Lease>> answer;
};

class PoolTest : public ::testing::Test {
 protected:
  void Make(Pool::Options options) { pool_ = std::make_unique<Pool>(&driver_, options, clock_); }

  Lease Connected(bool transactional = false) {
    TestWaiter waiter;
    waiter.transactional = transactional;
    pool_->Acquire(&waiter);
    Lease lease = waiter.Take();
    EXPECT_TRUE(lease.Connect(driver::Deadline::None()).ok());
    return lease;
  }

  std::shared_ptr<fake::Script> script_ = std::make_shared<fake::Script>();
  fake::FakeDriver driver_{script_};
  FakeClock clock_;
  std::unique_ptr<Pool> pool_;
};

using Journal = std::vector<std::string>;

TEST_F(PoolTest, ReusesTheConnectionUsedLast) {
  Make({.max_open = 2, .max_idle = 2});
  {
    Lease first = Connected();
    Lease second = Connected();
    EXPECT_EQ(pool_->Stats().in_use, 2);
  }
  EXPECT_EQ(pool_->Stats().idle, 2);
  Connected();
  EXPECT_EQ(script_->Journal(), (Journal{"connect", "connect", "reset", "reset", "reset"}));
}

TEST_F(PoolTest, WaitersAreServedInOrder) {
  Make({.max_open = 1, .max_idle = 1});
  Lease lease = Connected();
  TestWaiter first;
  TestWaiter second;
  pool_->Acquire(&first);
  pool_->Acquire(&second);
  EXPECT_FALSE(first.answer.has_value());
  EXPECT_EQ(pool_->Stats().waiting, 2);
  clock_.Advance(seconds(3));
  lease.Release();
  ASSERT_TRUE(first.answer.has_value());
  EXPECT_FALSE(second.answer.has_value());
  EXPECT_EQ(pool_->Stats().wait_duration, seconds(3));
  first.Take().Release();
  EXPECT_TRUE(second.answer.has_value());
  second.Take();
}

TEST_F(PoolTest, AFullQueueIsRefusedAtOnce) {
  Make({.max_open = 1, .max_idle = 1, .max_waiters = 1});
  Lease lease = Connected();
  TestWaiter first;
  TestWaiter second;
  pool_->Acquire(&first);
  pool_->Acquire(&second);
  ASSERT_TRUE(second.answer.has_value());
  EXPECT_EQ(GetErrorInfo(second.answer->status()).reason, Reason::kQueueFull);
  EXPECT_TRUE(pool_->Forget(&first));
}

TEST_F(PoolTest, AWaiterWhoseTimeIsUpIsTold) {
  Make({.max_open = 1, .max_idle = 1});
  Lease lease = Connected();
  TestWaiter waiter;
  waiter.wait_until = {.at = clock_.Now() + seconds(1), .reason = Reason::kAcquireTimeout};
  pool_->Acquire(&waiter);
  pool_->Tick(clock_.Now());
  EXPECT_FALSE(waiter.answer.has_value());
  clock_.Advance(seconds(1));
  pool_->Tick(clock_.Now());
  ASSERT_TRUE(waiter.answer.has_value());
  EXPECT_EQ(GetErrorInfo(waiter.answer->status()).reason, Reason::kAcquireTimeout);
  EXPECT_EQ(pool_->Stats().waiting, 0);
}

TEST_F(PoolTest, AForgottenWaiterIsNotCalled) {
  Make({.max_open = 1, .max_idle = 1});
  Lease lease = Connected();
  TestWaiter waiter;
  pool_->Acquire(&waiter);
  EXPECT_TRUE(pool_->Forget(&waiter));
  EXPECT_FALSE(pool_->Forget(&waiter));
  lease.Release();
  EXPECT_FALSE(waiter.answer.has_value());
}

TEST_F(PoolTest, AShareIsKeptFromTransactions) {
  Make({.max_open = 5, .max_idle = 5});
  std::vector<Lease> transactions;
  for (int i = 0; i < 4; ++i) transactions.push_back(Connected(true));
  TestWaiter transaction;
  transaction.transactional = true;
  pool_->Acquire(&transaction);
  EXPECT_FALSE(transaction.answer.has_value());
  // The fifth connection is there for a statement, whoever waits before it.
  Lease statement = Connected();
  statement.Release();
  EXPECT_FALSE(transaction.answer.has_value());
  transactions.pop_back();
  EXPECT_TRUE(transaction.answer.has_value());
}

TEST_F(PoolTest, AConnectionThatCannotBeResetIsClosed) {
  Make({.max_open = 1, .max_idle = 1});
  script_->reset = [] { return absl::InternalError("stuck in a transaction"); };
  Connected().Release();
  EXPECT_EQ(script_->Journal(), (Journal{"connect", "reset", "close"}));
  EXPECT_EQ(pool_->Stats().open, 0);
  // Its slot is free again.
  Connected();
}

TEST_F(PoolTest, ABrokenConnectionIsReplaced) {
  Make({.max_open = 1, .max_idle = 1});
  bool healthy = true;
  script_->healthy = [&] { return healthy; };
  Connected().Release();
  healthy = false;
  Connected();
  EXPECT_EQ(script_->Journal(), (Journal{"connect", "reset", "close", "connect", "close"}));
}

TEST_F(PoolTest, AFailedConnectFreesItsSlot) {
  Make({.max_open = 1, .max_idle = 1});
  script_->connect = [] { return absl::UnavailableError("refused"); };
  TestWaiter waiter;
  pool_->Acquire(&waiter);
  Lease lease = waiter.Take();
  EXPECT_EQ(lease.Connect(driver::Deadline::None()).message(), "refused");
  lease.Release();
  EXPECT_EQ(pool_->Stats().open, 0);
  script_->connect = nullptr;
  Connected();
}

TEST_F(PoolTest, OldAndIdleConnectionsAreClosed) {
  Make({.max_open = 2, .max_idle = 2, .max_lifetime = seconds(100), .max_idle_time = seconds(50)});
  Connected().Release();
  clock_.Advance(seconds(49));
  pool_->Tick(clock_.Now());
  EXPECT_EQ(pool_->Stats().open, 1);
  clock_.Advance(seconds(1));
  pool_->Tick(clock_.Now());
  EXPECT_EQ(pool_->Stats().open, 0);
  EXPECT_EQ(pool_->Stats().max_idle_closed, 1);
  Lease lease = Connected();
  clock_.Advance(seconds(100));
  lease.Release();
  EXPECT_EQ(pool_->Stats().max_lifetime_closed, 1);
}

TEST_F(PoolTest, AConnectionIdleForLongIsPinged) {
  Make({.max_open = 1, .max_idle = 1, .check_after_idle = seconds(1)});
  Connected().Release();
  Connected().Release();
  clock_.Advance(seconds(2));
  Connected();
  EXPECT_EQ(script_->Journal(), (Journal{"connect", "reset", "reset", "ping", "reset"}));
}

}  // namespace
}  // namespace penstock::server
