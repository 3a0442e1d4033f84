// A daemon in front of a PostgreSQL that is reached through a proxy.
#ifndef PENSTOCK_TESTS_CHAOS_FIXTURE_H_
#define PENSTOCK_TESTS_CHAOS_FIXTURE_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "gtest/gtest.h"
#include "tests/support/gateway.h"
#include "tests/support/pgwire_proxy.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/wire.h"

namespace penstock::testing {

// Each test has an empty database on a server that the tests share, a proxy and
// a daemon of its own.
class ChaosTest : public ::testing::Test {
 protected:
  explicit ChaosTest(const std::string& driver = "postgres");

  // Starts the daemon at first use; change config() before.
  Wire& wire();
  Gateway& gateway();
  server::Config& config() { return config_; }
  server::DatabaseConfig& database() { return config_.databases.at("main"); }
  PgwireProxy& proxy() { return proxy_; }

  // The rows as text; fails the test if the query fails.
  std::string Ask(const std::string& sql, const Values& args = {});
  // As Ask, past the daemon and the proxy.
  std::string AskServer(const std::string& sql);
  // The pool's figures of `main`.
  v1::PoolStats Pool();
  // Waits until the condition holds; fails the test after 20 seconds.
  static void Eventually(const std::function<bool()>& condition);

  // For PgwireFault::matches.
  static std::function<bool(std::string_view)> Is(std::string text);
  static std::function<bool(std::string_view)> Begins(std::string text);

  // The server's name of the database.
  const std::string name_;

 private:
  TempDir folder_;
  PgwireProxy proxy_;
  server::Config config_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<Wire> wire_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_CHAOS_FIXTURE_H_
