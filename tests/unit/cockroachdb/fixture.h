// A connection of the driver's to a scripted CockroachDB.
#ifndef PENSTOCK_TESTS_UNIT_COCKROACHDB_FIXTURE_H_
#define PENSTOCK_TESTS_UNIT_COCKROACHDB_FIXTURE_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "drivers/api/driver.h"
#include "drivers/cockroachdb/cockroachdb_driver.h"
#include "gtest/gtest.h"
#include "tests/support/driver_calls.h"
#include "tests/support/fake_cockroach.h"

namespace penstock::cockroachdb {

using driver::Reason;
using driver::Retry;
using driver::Value;
using testing::Call;
using testing::Calls;
using testing::FakeAnswer;
using testing::FakeCockroach;

class DialogueTest : public ::testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<driver::Connection>> Connect() {
    if (driver_ == nullptr) {
      driver::Config config;
      config.name = "main";
      config.driver = "cockroachdb";
      config.connection_string = server_.server().connection_string();
      config.options["cancel_grace_ms"] = "5000";
      driver_ = *Open(config);
    }
    return driver_->Connect(driver::Lane::kWrite, driver::Deadline::None());
  }
  driver::Connection& connection() {
    if (connection_ == nullptr) {
      auto connection = Connect();
      EXPECT_TRUE(connection.ok()) << connection.status();
      connection_ = *std::move(connection);
    }
    return *connection_;
  }

  // As an autocommit.
  std::unique_ptr<Call> Run(const std::string& sql, std::vector<Value> args = {}) {
    auto call = std::make_unique<Call>(sql, std::move(args));
    driver::StatementRun* const run = &call->run;
    EXPECT_EQ(connection().RunBatch({&run, 1}), 1u);
    return call;
  }
  std::unique_ptr<Call> RunInTransaction(const std::string& sql, std::vector<Value> args = {}) {
    auto call = std::make_unique<Call>(sql, std::move(args));
    connection().Run(call->run);
    return call;
  }
  static Reason ReasonOf(const absl::Status& status) { return driver::GetErrorInfo(status).reason; }
  static Retry RetryOf(const absl::Status& status) { return driver::GetErrorInfo(status).retry; }
  std::vector<std::string> executed(std::string_view part) {
    return server_.server().executed(part);
  }
  // Runs each by itself until the driver knows them to be short.
  void MakeBrisk(const Calls& calls) {
    std::vector<driver::StatementRun*> runs;
    for (const auto& call : calls) runs.push_back(&call->run);
    constexpr int kAttempts = 1000;
    for (int i = 0; i < kAttempts && connection().Together(runs) < runs.size(); ++i) {
      for (driver::StatementRun* run : runs) connection().RunBatch({&run, 1});
    }
    ASSERT_EQ(connection().Together(runs), runs.size());
  }

  FakeCockroach server_;
  std::unique_ptr<driver::Driver> driver_;
  std::unique_ptr<driver::Connection> connection_;
};

}  // namespace penstock::cockroachdb

#endif  // PENSTOCK_TESTS_UNIT_COCKROACHDB_FIXTURE_H_
