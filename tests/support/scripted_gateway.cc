#include "tests/support/scripted_gateway.h"

#include <chrono>
#include <utility>
#include <vector>

#include "gtest/gtest.h"

namespace penstock::testing {

ScriptedGateway::ScriptedGateway(driver::DriverInfo info, int max_open) {
  info.name = "fake";
  server::DatabaseConfig database;
  database.pool.max_open = max_open;
  std::vector<std::unique_ptr<server::Database>> databases;
  databases.push_back(std::make_unique<server::Database>(
      "main", database, std::make_unique<fake::FakeDriver>(script_, std::move(info))));
  databases_ = std::make_unique<server::Databases>(std::move(databases), "main");
  config_.server.listen = {"unix:" + folder_.path() + "/penstock.sock"};
}

ScriptedGateway::~ScriptedGateway() { Stop(); }

void ScriptedGateway::Start() {
  ticker_ = std::make_unique<server::Ticker>(std::chrono::milliseconds(10),
                                             [this](server::TimePoint now) {
                                               registry_.Tick(now);
                                               databases_->Tick(now);
                                             });
  constexpr int kMaxConnections = 100;
  auto started = server::GrpcServer::Start({.databases = databases_.get(),
                                            .registry = &registry_,
                                            .metrics = &metrics_,
                                            .config = &config_,
                                            .authenticator = &authenticator_,
                                            .failed_attempts = &failed_attempts_},
                                           kMaxConnections);
  ASSERT_TRUE(started.ok()) << started.status();
  grpc_ = *std::move(started);
  wire_ = std::make_unique<Wire>(grpc_->addresses().front());
}

void ScriptedGateway::Stop() {
  grpc_.reset();
  ticker_.reset();
}

void GiveRow(driver::StatementRun* run, int64_t value) {
  static const driver::Columns columns = std::make_shared<const std::vector<driver::Column>>(
      std::vector<driver::Column>{{.name = "one", .kind = driver::Kind::kInteger}});
  if (run->writer == nullptr) return;
  run->writer->Begin(columns);
  run->writer->Integer(value);
  run->writer->EndRow();
  run->summary.rows_returned = 1;
}

}  // namespace penstock::testing
