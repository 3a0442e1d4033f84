#include "tests/unit/postgres/fixture.h"

#include <utility>

#include "drivers/postgres/postgres_driver.h"

namespace penstock::postgres {

using penstock::testing::PostgresCluster;

PostgresDriverTest::PostgresDriverTest() {
  PostgresCluster& cluster = PostgresCluster::Shared();
  config_.name = "main";
  config_.driver = "postgres";
  config_.connection_string = cluster.connection_string(cluster.CreateDatabase());
  OpenDriver();
}

void PostgresDriverTest::OpenDriver() {
  // A driver outlives its connections.
  connection_.reset();
  auto driver = Open(config_);
  EXPECT_TRUE(driver.ok()) << driver.status();
  driver_ = *std::move(driver);
  connection_ = Connect();
}

std::unique_ptr<driver::Connection> PostgresDriverTest::Connect() {
  auto connection = driver_->Connect(driver::Lane::kWrite, driver::Deadline::None());
  EXPECT_TRUE(connection.ok()) << connection.status();
  return *std::move(connection);
}

std::unique_ptr<Call> PostgresDriverTest::Try(const std::string& sql, std::vector<Value> args) {
  auto call = std::make_unique<Call>(sql, std::move(args));
  driver::StatementRun* const run = &call->run;
  EXPECT_EQ(connection_->RunBatch({&run, 1}), 1u);
  return call;
}

std::unique_ptr<Call> PostgresDriverTest::TryInTransaction(const std::string& sql,
                                                           std::vector<Value> args) {
  auto call = std::make_unique<Call>(sql, std::move(args));
  connection_->Run(call->run);
  return call;
}

std::string PostgresDriverTest::Ask(const std::string& sql, std::vector<Value> args) {
  const auto call = Try(sql, std::move(args));
  EXPECT_TRUE(call->run.status.ok()) << sql << ": " << call->run.status;
  return call->row();
}

void PostgresDriverTest::AskOutside(const std::string& sql) {
  const auto driver = Open(config_);
  ASSERT_TRUE(driver.ok()) << driver.status();
  const auto connection = (*driver)->Connect(driver::Lane::kWrite, driver::Deadline::None());
  ASSERT_TRUE(connection.ok()) << connection.status();
  Call call(sql);
  driver::StatementRun* const run = &call.run;
  (*connection)->RunBatch({&run, 1});
  EXPECT_TRUE(call.run.status.ok()) << sql << ": " << call.run.status;
}

void PostgresDriverTest::MakeBrisk(const Calls& calls) {
  std::vector<driver::StatementRun*> runs;
  for (const auto& call : calls) runs.push_back(&call->run);
  // On a busy machine one may take its time now and then.
  constexpr int kAttempts = 1000;
  for (int i = 0; i < kAttempts && connection_->Together(runs) < runs.size(); ++i) {
    for (driver::StatementRun* run : runs) connection_->RunBatch({&run, 1});
  }
  ASSERT_EQ(connection_->Together(runs), runs.size());
}

}  // namespace penstock::postgres
