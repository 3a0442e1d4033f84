// A pool on the fake driver and the fake clock.
#ifndef PENSTOCK_TESTS_UNIT_SERVER_POOL_FIXTURE_H_
#define PENSTOCK_TESTS_UNIT_SERVER_POOL_FIXTURE_H_

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "drivers/fake/fake_driver.h"
#include "gtest/gtest.h"
#include "server/pool/pool.h"
#include "tests/unit/server/fake_clock.h"

namespace penstock::server {

struct TestWaiter final : Pool::Waiter {
  void OnLease(absl::StatusOr<Lease> lease) override {
    answer.emplace(std::move(lease));
    if (on_lease) on_lease();
  }
  // The lease, which must have been granted.
  Lease Take() {
    EXPECT_TRUE(answer.has_value() && answer->ok());
    Lease lease = *std::move(*answer);
    answer.reset();
    return lease;
  }
  std::optional<absl::StatusOr<Lease>> answer;
  std::function<void()> on_lease;
};

using Journal = std::vector<std::string>;

class PoolTest : public ::testing::Test {
 protected:
  void Make(const PoolConfig& config, Pool::Options options = {}) {
    options.config = config;
    pool_ = std::make_unique<Pool>(&driver_, options, clock_);
  }

  // A lease that must be had at once.
  Lease Acquired(bool transactional = false) {
    TestWaiter waiter;
    waiter.transactional = transactional;
    pool_->Acquire(&waiter);
    return waiter.Take();
  }

  Lease Connected(bool transactional = false) {
    Lease lease = Acquired(transactional);
    EXPECT_TRUE(lease.Connect(driver::Deadline::None()).ok());
    return lease;
  }

  // How often something happened.
  int64_t Count(const std::string& event) const {
    const Journal journal = script_->Journal();
    return std::count(journal.begin(), journal.end(), event);
  }

  std::shared_ptr<fake::Script> script_ = std::make_shared<fake::Script>();
  fake::FakeDriver driver_{script_};
  FakeClock clock_;
  std::unique_ptr<Pool> pool_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_TESTS_UNIT_SERVER_POOL_FIXTURE_H_
