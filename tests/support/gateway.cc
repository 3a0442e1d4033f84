#include "tests/support/gateway.h"

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace penstock::testing {

TempDir::TempDir() {
  std::string path = (std::filesystem::temp_directory_path() / "penstock-XXXXXX").string();
  EXPECT_NE(mkdtemp(path.data()), nullptr);
  path_ = path;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

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
