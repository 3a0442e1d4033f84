// Who gets a connection, and what becomes of it afterwards.
#include "tests/unit/server/pool_fixture.h"

#include <iterator>

namespace penstock::server {
namespace {

using driver::GetErrorInfo;
using driver::Reason;
using std::chrono::seconds;

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

TEST_F(PoolTest, TenantsThatWaitTakeTurns) {
  Make({.max_open = 1, .max_idle = 1});
  Lease lease = Connected();
  TestWaiter waiters[5];
  const uint64_t tenants[] = {1, 1, 1, 2, 2};
  for (size_t i = 0; i < std::size(waiters); ++i) {
    waiters[i].tenant = tenants[i];
    pool_->Acquire(&waiters[i]);
  }
  EXPECT_TRUE(pool_->Forget(&waiters[1]));
  for (const size_t next : {0, 3, 2, 4}) {
    lease.Release();
    ASSERT_TRUE(waiters[next].answer.has_value()) << next;
    lease = waiters[next].Take();
  }
}

// One waiter stands for the statements of everybody.
TEST_F(PoolTest, AStatementDoesNotWaitForAllTransactionsBeforeIt) {
  Make({.max_open = 2, .max_idle = 2});
  Lease lease = Connected();
  Lease other = Connected();
  TestWaiter transactions[2];
  for (TestWaiter& transaction : transactions) {
    transaction.transactional = true;
    pool_->Acquire(&transaction);
  }
  TestWaiter statements[2];
  for (TestWaiter& statement : statements) pool_->Acquire(&statement);
  lease.Release();
  ASSERT_TRUE(transactions[0].answer.has_value());
  transactions[0].Take().Release();
  ASSERT_TRUE(statements[0].answer.has_value());
  statements[0].Take().Release();
  ASSERT_TRUE(transactions[1].answer.has_value());
  EXPECT_FALSE(statements[1].answer.has_value());
  transactions[1].Take().Release();
  statements[1].Take();
}

TEST_F(PoolTest, AFullQueueHasRoomForAnotherTenant) {
  Make({.max_open = 1, .max_idle = 1, .max_waiters = 2});
  Lease lease = Connected();
  TestWaiter waiters[4];
  for (TestWaiter& waiter : waiters) {
    waiter.tenant = &waiter == &waiters[3] ? 2 : 1;
    pool_->Acquire(&waiter);
  }
  ASSERT_TRUE(waiters[2].answer.has_value());
  EXPECT_EQ(GetErrorInfo(waiters[2].answer->status()).reason, Reason::kQueueFull);
  EXPECT_FALSE(waiters[3].answer.has_value());
  for (const size_t i : {0, 1, 3}) EXPECT_TRUE(pool_->Forget(&waiters[i]));
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

TEST_F(PoolTest, AFailedConnectFreesItsSlot) {
  Make({.max_open = 1, .max_idle = 1});
  script_->connect = [](const driver::Deadline&) { return absl::UnavailableError("refused"); };
  {
    Lease lease = Acquired();
    EXPECT_EQ(lease.Connect(driver::Deadline::None()).message(), "refused");
  }
  EXPECT_EQ(pool_->Stats().open, 0);
  script_->connect = nullptr;
  clock_.Advance(seconds(1));
  Connected();
}

// Its slot is taken until it is closed, or the backend would see one too many.
TEST_F(PoolTest, AConnectionIsClosedBeforeTheNextIsOpened) {
  Make({.max_open = 1, .max_idle = 1, .max_lifetime = seconds(100)});
  Lease lease = Connected();
  clock_.Advance(seconds(100));
  TestWaiter waiter;
  pool_->Acquire(&waiter);
  waiter.on_lease = [this] { script_->Note("granted"); };
  lease.Release();
  waiter.Take();
  EXPECT_EQ(script_->Journal(), (Journal{"connect", "close", "granted"}));
  EXPECT_EQ(pool_->Stats().max_lifetime_closed, 1);
}

TEST_F(PoolTest, NoMoreThanMaxIdleAreKept) {
  Make({.max_open = 3, .max_idle = 1});
  { Lease leases[] = {Connected(), Connected(), Connected()}; }
  EXPECT_EQ(pool_->Stats().open, 1);
  EXPECT_EQ(pool_->Stats().max_idle_closed, 2);
}

// A statement queue runs many batches on one lease; only its first use is a return from
// being idle.
TEST_F(PoolTest, AConnectionIdleForLongIsPingedOnce) {
  Make({.max_open = 1, .max_idle = 1}, {.check_after_idle = seconds(1)});
  Connected().Release();
  Connected().Release();
  clock_.Advance(seconds(2));
  Lease lease = Connected();
  clock_.Advance(seconds(2));
  EXPECT_TRUE(lease.Connect(driver::Deadline::None()).ok());
  EXPECT_EQ(script_->Journal(), (Journal{"connect", "reset", "reset", "ping"}));
}

TEST_F(PoolTest, AConnectionThatFailsItsPingIsReplacedUnseen) {
  Make({.max_open = 1, .max_idle = 1}, {.check_after_idle = seconds(1)});
  script_->ping = [](const driver::Deadline&) { return absl::UnavailableError("lost"); };
  Connected().Release();
  clock_.Advance(seconds(2));
  Lease lease = Connected();
  EXPECT_EQ(script_->Journal(), (Journal{"connect", "reset", "ping", "close", "connect"}));
  EXPECT_EQ(pool_->Stats().broken_closed, 1);
}

TEST_F(PoolTest, OneBrokenOnReleaseMakesTheOthersBeChecked) {
  Make({.max_open = 3, .max_idle = 3});
  Lease broken = Connected();
  { Lease others[] = {Connected(), Connected()}; }
  bool healthy = false;
  script_->healthy = [&] { return healthy; };
  broken.Release();
  EXPECT_EQ(pool_->Stats().broken_closed, 1);
  healthy = true;
  EXPECT_EQ(Count("ping"), 0);
  { Lease others[] = {Connected(), Connected()}; }
  EXPECT_EQ(Count("ping"), 2);
  // What answered is trusted again, and so is what was opened since.
  { Lease all[] = {Connected(), Connected(), Connected()}; }
  Lease all[] = {Connected(), Connected(), Connected()};
  EXPECT_EQ(Count("ping"), 2);
}

TEST_F(PoolTest, OneBrokenWhileIdleMakesTheOthersBeChecked) {
  Make({.max_open = 2, .max_idle = 2});
  { Lease both[] = {Connected(), Connected()}; }
  int asked = 0;
  script_->healthy = [&] { return ++asked > 1; };
  Lease replaced = Connected();
  EXPECT_EQ(Count("connect"), 3);
  Lease checked = Connected();
  EXPECT_EQ(Count("connect"), 3);
  EXPECT_EQ(Count("ping"), 1);
}

TEST_F(PoolTest, AnAttemptEndsAtTheEarlierOfDeadlineAndConnectTimeout) {
  Make({.max_open = 2, .max_idle = 2, .connect_timeout = seconds(5)});
  driver::Deadline seen;
  script_->connect = [&](const driver::Deadline& deadline) {
    seen = deadline;
    return absl::OkStatus();
  };
  const TimePoint now = clock_.Now();
  Lease patient = Acquired();
  ASSERT_TRUE(patient.Connect({.at = now + seconds(9), .reason = Reason::kRequestTimeout}).ok());
  EXPECT_EQ(seen.at, now + seconds(5));
  EXPECT_EQ(GetErrorInfo(seen.Error()).reason, Reason::kConnectionFailed);
  EXPECT_EQ(GetErrorInfo(seen.Error()).retry, driver::Retry::kStatement);
  Lease hurried = Acquired();
  ASSERT_TRUE(hurried.Connect({.at = now + seconds(1), .reason = Reason::kRequestTimeout}).ok());
  EXPECT_EQ(seen.at, now + seconds(1));
  EXPECT_EQ(seen.reason, Reason::kRequestTimeout);
}

// A statement queue has one lease for batch after batch.
TEST_F(PoolTest, ALeaseIsCheckedBetweenBatchesWhenAnotherConnectionWasLost) {
  Make({.max_open = 2, .max_idle = 2});
  bool healthy = true;
  script_->healthy = [&healthy] { return healthy; };
  const auto lose_another = [&] {
    Lease other = Connected();
    healthy = false;
    other.Release();
    healthy = true;
  };
  const auto connect = [](Lease& lease) { return lease.Connect(driver::Deadline::None()); };
  Lease lease = Connected();
  EXPECT_TRUE(connect(lease).ok());
  EXPECT_EQ(Count("ping"), 0);
  lose_another();
  EXPECT_TRUE(connect(lease).ok());
  EXPECT_EQ(Count("ping"), 1);
  EXPECT_TRUE(connect(lease).ok());
  EXPECT_EQ(Count("ping"), 1) << "proved to work already";
  lose_another();
  const int64_t connected = Count("connect");
  script_->ping = [](const driver::Deadline&) {
    return driver::MakeError(driver::Reason::kConnectionLost, "gone");
  };
  EXPECT_TRUE(connect(lease).ok());
  EXPECT_EQ(Count("connect"), connected + 1) << "it was lost with the other";
}

}  // namespace
}  // namespace penstock::server
