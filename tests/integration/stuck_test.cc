// A gateway whose driver does not come back from some calls: everybody else is served.
#include <atomic>
#include <chrono>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "drivers/fake/fake_driver.h"
#include "gtest/gtest.h"
#include "server/metrics_text.h"
#include "server/rpc/grpc_server.h"
#include "server/runtime/ticker.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wire.h"

namespace penstock::testing {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// The daemon's parts around a scripted driver, with one connection that writes and three
// that read. Statements that begin with "stuck" do not end before Release.
class StuckGateway : public ::testing::Test {
 protected:
  StuckGateway() {
    script_->run = [this](driver::StatementRun& run) {
      if (run.sql.starts_with("stuck")) {
        ++entered_;
        release_.wait();
      }
      if (run.writer == nullptr) return;
      run.writer->Begin(columns_);
      run.writer->Integer(1);
      run.writer->EndRow();
      run.summary.rows_returned = 1;
    };
    script_->wrong_lane = [](driver::Lane lane, const driver::StatementRun& run) {
      return lane == driver::Lane::kRead && run.sql.ends_with("write");
    };
    driver::DriverInfo info;
    info.name = "fake";
    info.split_lanes = true;
    info.max_writers = 1;
    info.embedded = true;
    server::DatabaseConfig database;
    database.pool.max_open = 4;
    std::vector<std::unique_ptr<server::Database>> databases;
    databases.push_back(std::make_unique<server::Database>(
        "main", database, std::make_unique<fake::FakeDriver>(script_, info)));
    databases_ = std::make_unique<server::Databases>(std::move(databases), "main");
    config_.server.listen = {"unix:" + folder_.path() + "/penstock.sock"};
    ticker_ = std::make_unique<server::Ticker>(milliseconds(10), [this](server::TimePoint now) {
      sessions_.Tick(now);
      databases_->Tick(now);
    });
    auto started = server::GrpcServer::Start({.databases = databases_.get(),
                                              .sessions = &sessions_,
                                              .metrics = &metrics_,
                                              .config = &config_});
    EXPECT_TRUE(started.ok()) << started.status();
    grpc_ = *std::move(started);
    wire_ = std::make_unique<Wire>(grpc_->addresses().front());
  }

  ~StuckGateway() override {
    Release();
    for (std::thread& caller : callers_) caller.join();
    grpc_.reset();
    ticker_.reset();
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
    return wire_->Query(request);
  }

  // Calls it from another thread, and returns when the driver has it.
  void CallStuck(const std::string& sql, Outcome* outcome) {
    const int before = entered_;
    callers_.emplace_back([this, sql, outcome] { *outcome = Query(sql, milliseconds(200)); });
    while (entered_ == before) std::this_thread::yield();
  }

  // Fails the test after half a minute.
  template <typename Condition>
  static void Eventually(const Condition& condition) {
    const auto give_up = steady_clock::now() + std::chrono::seconds(30);
    while (!condition()) {
      ASSERT_LT(steady_clock::now(), give_up);
      std::this_thread::sleep_for(milliseconds(5));
    }
  }

  bool Told(const std::string& line) const {
    return server::MetricsText(metrics_, *databases_).find("\n" + line + "\n") != std::string::npos;
  }

  const driver::Columns columns_ = std::make_shared<const std::vector<driver::Column>>(
      std::vector<driver::Column>{{.name = "one", .kind = driver::Kind::kInteger}});
  TempDir folder_;
  std::shared_ptr<fake::Script> script_ = std::make_shared<fake::Script>();
  std::atomic<int> entered_{0};
  std::atomic<bool> released_{false};
  std::latch release_{1};
  server::Config config_;
  server::ServerMetrics metrics_;
  server::Sessions sessions_{1000};
  std::unique_ptr<server::Databases> databases_;
  std::unique_ptr<server::Ticker> ticker_;
  std::unique_ptr<server::GrpcServer> grpc_;
  std::unique_ptr<Wire> wire_;
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
  EXPECT_TRUE(databases_->Ready().ok()) << databases_->Ready();
  // The others were served when one of them was known to be stuck.
  Eventually([&] { return Told(R"(penstock_pool_stuck_calls{database="main",pool="read"} 3)"); });
  EXPECT_TRUE(Told(R"(penstock_pool_stuck_calls_total{database="main",pool="read"} 3)"));
  EXPECT_TRUE(Told(R"(penstock_database_problem{database="main",problem="stuck_read"} 1)"));
  // Twice as many are the limit.
  stuck.resize(6);
  for (size_t i = 3; i < stuck.size(); ++i) {
    CallStuck("stuck " + std::to_string(i), &stuck[i]);
  }
  Eventually([&] { return !databases_->Ready().ok(); });
  EXPECT_NE(std::string(databases_->Ready().message()).find("database 'main': 6 of the"),
            std::string::npos)
      << databases_->Ready();
  const Outcome late = Query("other", milliseconds(300));
  EXPECT_EQ(late.status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  Release();
  Eventually([&] { return databases_->Ready().ok(); });
  Eventually([&] {
    return Told(R"(penstock_pool_stuck_calls{database="main",pool="read"} 0)") &&
           databases_->Find("main").value()->Stats()[0].second.open <= 3;
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
  Eventually([&] { return !databases_->Ready().ok(); });
  EXPECT_NE(std::string(databases_->Ready().message()).find("restart the daemon"),
            std::string::npos);
  EXPECT_TRUE(Query("other", std::chrono::seconds(20)).status.ok());
  Release();
  Eventually([&] { return databases_->Ready().ok(); });
  EXPECT_TRUE(Told(R"(penstock_database_problems_total{database="main",problem="stuck_write"} 1)"));
}

}  // namespace
}  // namespace penstock::testing
