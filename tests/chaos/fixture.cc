#include "tests/chaos/fixture.h"

#include <chrono>
#include <pqxx/pqxx>
#include <thread>
#include <utility>

namespace penstock::testing {

ChaosTest::ChaosTest(const std::string& driver)
    : name_(PostgresCluster::Shared().CreateDatabase()),
      proxy_(PostgresCluster::Shared().socket_folder()),
      config_(SqliteConfig(folder_.path())) {
  database().driver = driver::Config();
  database().driver.name = "main";
  database().driver.driver = driver;
  database().driver.connection_string = proxy_.connection_string(name_);
}

Gateway& ChaosTest::gateway() {
  if (gateway_ == nullptr) gateway_ = std::make_unique<Gateway>(config_);
  return *gateway_;
}

Wire& ChaosTest::wire() {
  if (wire_ == nullptr) wire_ = std::make_unique<Wire>(gateway().target());
  return *wire_;
}

std::string ChaosTest::Ask(const std::string& sql, const Values& args) {
  const Outcome outcome = wire().Query(sql, args);
  EXPECT_TRUE(outcome.status.ok()) << sql << ": " << outcome.status.error_message();
  return outcome.text();
}

std::string ChaosTest::AskServer(const std::string& sql) {
  pqxx::connection connection(PostgresCluster::Shared().connection_string(name_));
  std::string text;
  for (const auto& row : pqxx::nontransaction(connection).exec(sql)) {
    for (const auto& field : row) text += (text.empty() ? "" : " ") + std::string(field.c_str());
  }
  return text;
}

v1::PoolStats ChaosTest::Pool() {
  grpc::ClientContext context;
  v1::GetStatsResponse response;
  const auto stub = v1::AdminService::NewStub(wire().channel());
  const grpc::Status status = stub->GetStats(&context, {}, &response);
  EXPECT_TRUE(status.ok()) << status.error_message();
  return response.databases(0).pools(0);
}

void ChaosTest::Eventually(const std::function<bool()>& condition) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!condition()) {
    ASSERT_LT(std::chrono::steady_clock::now(), until) << "it did not come true within 20 s";
    std::this_thread::yield();
  }
}

std::function<bool(std::string_view)> ChaosTest::Is(std::string text) {
  return [text = std::move(text)](std::string_view sql) { return sql == text; };
}

std::function<bool(std::string_view)> ChaosTest::Begins(std::string text) {
  return [text = std::move(text)](std::string_view sql) { return sql.starts_with(text); };
}

}  // namespace penstock::testing
