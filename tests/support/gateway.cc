#include "tests/support/gateway.h"

#include <cstdlib>
#include <utility>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace penstock::testing {

server::Config SqliteConfig(const std::string& folder) {
  server::Config config;
  config.server.listen = {"unix:" + folder + "/penstock.sock"};
  server::DatabaseConfig database;
  database.driver.name = "main";
  database.driver.driver = "sqlite";
  database.driver.database = folder + "/main.db";
  config.databases.emplace("main", database);
  config.default_database = "main";
  return config;
}

Gateway::Gateway(const server::Config& config) {
  absl::StatusOr<std::unique_ptr<server::Daemon>> daemon = server::Daemon::Start(config);
  EXPECT_TRUE(daemon.ok()) << daemon.status();
  if (!daemon.ok()) std::abort();
  daemon_ = *std::move(daemon);
  target_ = daemon_->grpc_addresses().front();
}

}  // namespace penstock::testing
