// The example that is shipped: it loads, it says the defaults, and it has every key.
#include <filesystem>
#include <fstream>
#include <sstream>

#include "gmock/gmock.h"
#include "tests/unit/config/fixture.h"
#include "tests/unit/config/pem.h"

namespace penstock::server {
namespace {

class ExampleTest : public ConfigTest {
 protected:
  // In the test's folder, so that `data` is created there.
  absl::StatusOr<Config> LoadFrom(const std::optional<std::string>& file) {
    const auto before = std::filesystem::current_path();
    std::filesystem::current_path(folder_);
    command_line_.data_dir.reset();
    command_line_.config_file = file;
    auto config = Load();
    std::filesystem::current_path(before);
    return config;
  }

  static std::string Text() {
    std::ostringstream text;
    text << std::ifstream(kExample).rdbuf();
    return text.str();
  }

  static constexpr char kExample[] = PENSTOCK_DEPLOY_DIR "/penstock.example.yaml";
};

TEST_F(ExampleTest, SaysTheDefaults) {
  const auto example = LoadFrom(kExample);
  const auto none = LoadFrom(std::nullopt);
  ASSERT_TRUE(example.ok()) << example.status();
  ASSERT_TRUE(none.ok()) << none.status();
  EXPECT_EQ(example->server.listen, none->server.listen);
  EXPECT_EQ(example->server.http_listen, none->server.http_listen);
  EXPECT_EQ(example->server.tls.has_value(), none->server.tls.has_value());
  EXPECT_EQ(example->server.insecure, none->server.insecure);
  EXPECT_EQ(example->server.max_message_bytes, none->server.max_message_bytes);
  EXPECT_EQ(example->server.first_batch_bytes, none->server.first_batch_bytes);
  EXPECT_EQ(example->server.batch_bytes, none->server.batch_bytes);
  EXPECT_EQ(example->server.stall_timeout, none->server.stall_timeout);
  EXPECT_EQ(example->server.max_sessions, none->server.max_sessions);
  EXPECT_EQ(example->server.max_sessions_by_peer, none->server.max_sessions_by_peer);
  EXPECT_EQ(example->server.stream_idle_timeout, none->server.stream_idle_timeout);
  EXPECT_EQ(example->server.max_pipeline, none->server.max_pipeline);
  EXPECT_EQ(example->server.drain_grace, none->server.drain_grace);
  EXPECT_EQ(example->log.level, none->log.level);
  EXPECT_EQ(example->log.format, none->log.format);
  EXPECT_EQ(example->log.slow_statement, none->log.slow_statement);
  EXPECT_EQ(example->log.parameter_values, none->log.parameter_values);
  EXPECT_EQ(example->default_database, none->default_database);
  EXPECT_EQ(example->databases.size(), none->databases.size());
}

TEST_F(ExampleTest, SaysTheDefaultsOfADatabase) {
  const auto example = LoadFrom(kExample);
  const auto none = LoadFrom(std::nullopt);
  ASSERT_TRUE(example.ok() && none.ok());
  const DatabaseConfig& said = example->databases.at("main");
  const DatabaseConfig& implied = none->databases.at("main");
  EXPECT_EQ(said.driver.driver, implied.driver.driver);
  EXPECT_EQ(said.driver.database, implied.driver.database);
  EXPECT_EQ(said.driver.statement_cache_size, implied.driver.statement_cache_size);
  EXPECT_EQ(said.driver.max_value_bytes, implied.driver.max_value_bytes);
  EXPECT_EQ(said.pool.max_open, implied.pool.max_open);
  EXPECT_EQ(said.pool.max_idle, implied.pool.max_idle);
  EXPECT_EQ(said.pool.max_lifetime, implied.pool.max_lifetime);
  EXPECT_EQ(said.pool.max_idle_time, implied.pool.max_idle_time);
  EXPECT_EQ(said.pool.max_waiters, implied.pool.max_waiters);
  EXPECT_EQ(said.pool.acquire_timeout, implied.pool.acquire_timeout);
  EXPECT_EQ(said.pool.min_idle, implied.pool.min_idle);
  EXPECT_EQ(said.pool.connect_timeout, implied.pool.connect_timeout);
  EXPECT_EQ(said.limits.query_timeout, implied.limits.query_timeout);
  EXPECT_EQ(said.limits.transaction_idle_timeout, implied.limits.transaction_idle_timeout);
  EXPECT_EQ(said.limits.transaction_timeout, implied.limits.transaction_timeout);
  EXPECT_EQ(said.limits.max_returning_bytes, implied.limits.max_returning_bytes);
  EXPECT_EQ(said.limits.max_transaction_statements, implied.limits.max_transaction_statements);
  EXPECT_EQ(said.migrations_table, implied.migrations_table);
  EXPECT_EQ(said.migrations_lease, implied.migrations_lease);
}

// The loader names its keys when it meets one that it does not know.
TEST_F(ExampleTest, HasEveryKey) {
  const std::string text = Text();
  for (const char* yaml : {"zzzzzzzzzz: 1", "server: {zzzzzzzzzz: 1}", "log: {zzzzzzzzzz: 1}",
                           "server: {tls: {zzzzzzzzzz: 1, cert_file: '@/x', key_file: '@/x'}}",
                           "databases: {main: {zzzzzzzzzz: 1}}"}) {
    Write("x", kPem);
    const auto mistakes = MistakesIn(yaml);
    ASSERT_EQ(mistakes.size(), 1u) << yaml;
    const std::string list = mistakes[0].substr(mistakes[0].find("use one of ") + 11);
    std::istringstream words(list);
    int keys = 0;
    for (std::string key; words >> key; ++keys) {
      if (key.ends_with(',')) key.pop_back();
      EXPECT_THAT(text, testing::ContainsRegex("(^|\n)[ #]*" + key + ":"));
    }
    EXPECT_GE(keys, 3) << list;
  }
}

}  // namespace
}  // namespace penstock::server
