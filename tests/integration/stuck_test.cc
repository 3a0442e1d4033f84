// A gateway whose driver does not come back from some calls: everybody else is served.
#include <atomic>
#include <chrono>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "server/metrics_text.h"
#include "tests/support/eventually.h"
#include "tests/support/scripted_gateway.h"

namespace penstock::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// The daemon's parts around a scripted driver, with one connection that writes and three
// that read. Statements that begin with "stuck" do not end before Release.
class StuckGateway : public ::testing::Test {
 protected:
  StuckGateway() {
    gateway_.script().run = [this](driver::StatementRun& run) {
      if (run.sql.starts_with("stuck")) {
        ++entered_;
        release_.wait();
      }
      GiveRow(&run, 1);
    };
    gateway_.script().wrong_lane = [](driver::Lane lane, const driver::StatementRun& run) {
      return lane == driver::Lane::kRead && run.sql.ends_with("write");
    };
    gateway_.Start();
  }

  ~StuckGateway() override {
    Release();
    for (std::thread& caller : callers_) caller.join();
    gateway_.Stop();
  }

  void Release() {
    if (!released_.exchange(true)) release_.count_down();
  }

  Outcome Query(const std::string& sql, milliseconds timeout) {
    v1::QueryRequest request;
    request.set_sql(sql);
    request.mutable_timeout()->set_nanos(
        static_cast<int32_t>(timeout.count() * 1'000'000 % 1'000'000'000));
    request.mutable_timeout()->set_seconds(timeout.count() / 1000);
    return gateway_.wire().Query(request);
  }

  // Calls it from another thread, and returns when the driver has it.
  void CallStuck(const std::string& sql, Outcome* outcome) {
    const int before = entered_;
    callers_.emplace_back([this, sql, outcome] { *outcome = Query(sql, milliseconds(200)); });
    while (entered_ == before) std::this_thread::yield();
  }

  bool Told(const std::string& line) const {
    return server::MetricsText(gateway_.metrics(), gateway_.databases()).find("\n" + line + "\n") !=
           std::string::npos;
  }

  std::atomic<int> entered_{0};
  std::atomic<bool> released_{false};
  std::latch release_{1};
  static driver::DriverInfo Info() {
    driver::DriverInfo info;
    info.split_lanes = true;
    info.max_writers = 1;
    info.embedded = true;
    return info;
  }
  ScriptedGateway gateway_{Info(), 4};
  std::vector<std::thread> callers_;
};

// Three of them have every connection that reads, every thread that is for those, and
// most likely one that serves the network.
TEST_F(StuckGateway, ReadersAreReplaced) {
  std::vector<Outcome> stuck(3);
  for (size_t i = 0; i < stuck.size(); ++i) {
    CallStuck("stuck " + std::to_string(i), &stuck[i]);
  }
  // The others are served as soon as that is known.
  for (int i = 0; i < 20; ++i) {
    const Outcome other = Query("other", std::chrono::seconds(20));
    ASSERT_TRUE(other.status.ok()) << other.status.error_message();
    EXPECT_EQ(other.text(), "1");
  }
  // Their callers do not wait for the driver.
  for (std::thread& caller : callers_) caller.join();
  callers_.clear();
  for (const Outcome& each : stuck) {
    EXPECT_EQ(each.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
    EXPECT_EQ(each.detail.reason(), v1::REASON_REQUEST_TIMEOUT);
  }
  EXPECT_TRUE(gateway_.databases().Ready().ok()) << gateway_.databases().Ready();
  // The others were served when one of them was known to be stuck.
  Eventually([&] { return Told(R"(penstock_pool_stuck_calls{database="main",pool="read"} 3)"); });
  EXPECT_TRUE(Told(R"(penstock_pool_stuck_calls_total{database="main",pool="read"} 3)"));
  EXPECT_TRUE(Told(R"(penstock_database_problem{database="main",problem="stuck_read"} 1)"));
  // Twice as many are the limit.
  stuck.resize(6);
  for (size_t i = 3; i < stuck.size(); ++i) {
    CallStuck("stuck " + std::to_string(i), &stuck[i]);
  }
  Eventually([&] { return !gateway_.databases().Ready().ok(); });
  EXPECT_NE(std::string(gateway_.databases().Ready().message()).find("database 'main': 6 of the"),
            std::string::npos)
      << gateway_.databases().Ready();
  const Outcome late = Query("other", milliseconds(300));
  EXPECT_EQ(late.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  Release();
  Eventually([&] { return gateway_.databases().Ready().ok(); });
  Eventually([&] {
    return Told(R"(penstock_pool_stuck_calls{database="main",pool="read"} 0)") &&
           gateway_.databases().Find("main").value()->Stats()[0].second.open <= 3;
  });
  EXPECT_TRUE(Query("other", std::chrono::seconds(20)).status.ok());
}

TEST_F(StuckGateway, TheOnlyWriterIsNotReplacedButSaidToBeStuck) {
  Outcome stuck;
  CallStuck("stuck write", &stuck);
  // Who waits for it fails at his own limit.
  const auto began = steady_clock::now();
  const Outcome waits = Query("write", milliseconds(300));
  EXPECT_EQ(waits.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_LT(steady_clock::now() - began, std::chrono::seconds(5));
  // It may yet be committed.
  callers_.front().join();
  callers_.clear();
  EXPECT_EQ(stuck.status.error_code(), grpc::StatusCode::UNKNOWN) << stuck.status.error_message();
  EXPECT_EQ(stuck.detail.reason(), v1::REASON_COMMIT_OUTCOME_UNKNOWN);
  Eventually([&] { return !gateway_.databases().Ready().ok(); });
  EXPECT_NE(std::string(gateway_.databases().Ready().message()).find("restart the daemon"),
            std::string::npos);
  EXPECT_TRUE(Query("other", std::chrono::seconds(20)).status.ok());
  Release();
  Eventually([&] { return gateway_.databases().Ready().ok(); });
  EXPECT_TRUE(Told(R"(penstock_database_problems_total{database="main",problem="stuck_write"} 1)"));
}

}  // namespace
}  // namespace penstock::testing
