// Servers that are full, or take over from each other.
#include <signal.h>

#include <pqxx/pqxx>
#include <string>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "tests/chaos/fixture.h"

namespace penstock::testing {
namespace {

class FullServer : public ChaosTest {
 protected:
  // A role that may have two connections at once.
  void SetUp() override {
    AskServer("DROP ROLE IF EXISTS " + role());
    AskServer("CREATE ROLE " + role() + " LOGIN CONNECTION LIMIT 2");
    database().driver.username = role();
    database().pool.max_open = database().pool.max_idle = 8;
  }

  // Roles are the whole server's, which other tests may share.
  std::string role() const { return "limited_" + name_; }
};

TEST_F(FullServer, CallersShareTheConnectionsThereAre) {
  EXPECT_EQ(Ask("SELECT 1"), "1");
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 16; ++caller) {
    callers.emplace_back([this, caller] {
      EXPECT_EQ(Ask(fmt::format("SELECT {} FROM pg_sleep(0.05)", caller)),
                fmt::format("{}", caller));
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(
      AskServer("SELECT count(*) <= 2 FROM pg_stat_activity WHERE usename = '" + role() + "'"),
      "t");
}

TEST_F(FullServer, NoneForUsIsSaid) {
  const std::string direct = PostgresCluster::Shared().connection_string(name_) + " user=" + role();
  auto first = std::make_unique<pqxx::connection>(direct);
  auto second = std::make_unique<pqxx::connection>(direct);
  for (int i = 0; i < 3; ++i) {
    const Outcome outcome = wire().Query("SELECT 1");
    EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED)
        << outcome.status.error_message();
    EXPECT_EQ(outcome.detail.reason(), v1::REASON_BACKEND_RESOURCES);
    EXPECT_EQ(outcome.detail.retry(), v1::RETRY_STATEMENT);
  }
  first.reset();
  second.reset();
  Eventually([this] { return wire().Query("SELECT 2").text() == "2"; });
}

// A primary and its standby, each behind a proxy of its own.
class Failover : public ::testing::Test {
 protected:
  Failover()
      : standby_(&primary_),
        to_primary_(primary_.socket_folder()),
        to_standby_(standby_.socket_folder()),
        config_(SqliteConfig(folder_.path())) {
    driver::Config& driver = config_.databases.at("main").driver;
    driver = driver::Config();
    driver.name = "main";
    driver.driver = "postgres";
    driver.connection_string =
        fmt::format("postgresql://postgres@127.0.0.1:{},127.0.0.1:{}/postgres", to_primary_.port(),
                    to_standby_.port());
  }

  Outcome Query(const std::string& sql) {
    if (gateway_ == nullptr) {
      gateway_ = std::make_unique<Gateway>(config_);
      wire_ = std::make_unique<Wire>(gateway_->target());
    }
    return wire_->Query(sql);
  }
  bool Recovers(const std::string& sql, const std::string& answer) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (Query(sql).text() != answer) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::yield();
    }
    return true;
  }
  static constexpr char kIsStandby[] = "SELECT pg_is_in_recovery()";

  PostgresCluster primary_;
  PostgresCluster standby_;
  PgwireProxy to_primary_;
  PgwireProxy to_standby_;
  TempDir folder_;
  server::Config config_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<Wire> wire_;
};

TEST_F(Failover, TheStandbyServesOnceItIsThePrimary) {
  config_.databases.at("main").driver.options["target_session_attrs"] = "read-write";
  ASSERT_EQ(Query(kIsStandby).text(), "false");
  ASSERT_TRUE(Query("CREATE TABLE t AS SELECT 1 AS a").status.ok());
  pqxx::connection standby(standby_.connection_string("postgres"));
  // What has not arrived at the standby would be lost with the primary.
  const auto arrived = [&] {
    pqxx::nontransaction work(standby);
    return work.exec("SELECT to_regclass('t') IS NOT NULL")[0][0].as<bool>();
  };
  while (!arrived()) std::this_thread::yield();

  primary_.Stop(SIGQUIT);
  const Outcome outcome = Query("SELECT 1");
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::UNAVAILABLE)
      << "the standby is not for writing: " << outcome.status.error_message();
  pqxx::nontransaction(standby).exec("SELECT pg_promote()");
  EXPECT_TRUE(Recovers(kIsStandby, "false"));
  EXPECT_EQ(Query("SELECT a FROM t").text(), "1");
  EXPECT_TRUE(Query("INSERT INTO t VALUES (2)").status.ok());
}

TEST_F(Failover, AStandbyIsPreferredWhileThereIsOne) {
  config_.databases.at("main").driver.options["target_session_attrs"] = "prefer-standby";
  EXPECT_EQ(Query(kIsStandby).text(), "true");
  standby_.Stop(SIGINT);
  EXPECT_TRUE(Recovers(kIsStandby, "false"));
}

TEST_F(Failover, AHostThatNeverAnswersCostsItsShareOfTheTime) {
  config_.databases.at("main").pool.connect_timeout = std::chrono::milliseconds(600);
  to_primary_.SetDoor(PgwireProxy::Door::kMute);
  EXPECT_TRUE(Recovers(kIsStandby, "true"));
}

}  // namespace
}  // namespace penstock::testing
