// Connections that are lost under transactions, cursors and streams.
#include <chrono>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/support/gateway.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/wire.h"

namespace penstock::testing {
namespace {

constexpr char kEndMine[] = "SELECT pg_terminate_backend(pg_backend_pid())";

class LostLinkTest : public ::testing::Test {
 protected:
  LostLinkTest() : config_(SqliteConfig(folder_.path())) {
    PostgresCluster& cluster = PostgresCluster::Shared();
    server::DatabaseConfig& database = config_.databases.at("main");
    database.driver = {};
    database.driver.name = "main";
    database.driver.driver = "postgres";
    database.driver.connection_string = cluster.connection_string(cluster.CreateDatabase());
    // Whoever comes next waits until the one before has given it back.
    database.pool.max_open = 1;
    database.pool.max_idle = 1;
    database.pool.acquire_timeout = std::chrono::seconds(10);
  }

  // Starts the daemon at first use.
  Wire& wire() {
    if (gateway_ == nullptr) {
      gateway_ = std::make_unique<Gateway>(config_);
      wire_ = std::make_unique<Wire>(gateway_->target());
    }
    return *wire_;
  }
  std::string Ask(const std::string& sql, const Values& args = {}) {
    const Outcome outcome = wire().Query(sql, args);
    EXPECT_TRUE(outcome.status.ok()) << sql << ": " << outcome.status.error_message();
    return outcome.text();
  }

  TempDir folder_;
  server::Config config_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<Wire> wire_;
};

TEST_F(LostLinkTest, NoStepOfATransactionWithoutAConnectionEndsTheDaemon) {
  using Response = TransactionStream::Response;
  using Step = Response (*)(TransactionStream&);
  const Step steps[] = {
      [](TransactionStream& stream) { return stream.RollbackTo("a"); },
      [](TransactionStream& stream) { return stream.Savepoint("b"); },
      [](TransactionStream& stream) { return stream.Release("a"); },
      [](TransactionStream& stream) { return stream.Exec("SELECT 1"); },
      [](TransactionStream& stream) { return stream.Commit(); },
  };
  for (const Step step : steps) {
    TransactionStream stream(wire());
    stream.Begin();
    stream.Savepoint("a");
    EXPECT_FALSE(stream.Query(kEndMine).status.ok());
    const Response answer = step(stream);
    EXPECT_TRUE(answer.has_error() || !stream.Finish().ok()) << answer.ShortDebugString();
  }
  EXPECT_EQ(Ask("SELECT 1"), "1");
}

TEST_F(LostLinkTest, NorDoKeysAndValues) {
  wire();
  auto db = penstock::New({.target = gateway_->target()});
  ASSERT_TRUE(db.ok()) << db.status();
  const penstock::Context ctx;
  auto keys = (*db)->KeyValue("k");
  ASSERT_TRUE(keys->Put(ctx, "a", "1").ok());
  using Change = absl::Status (*)(const penstock::Context&, penstock::KeyValue*);
  const Change changes[] = {
      [](const penstock::Context& c, penstock::KeyValue* kv) { return kv->Put(c, "a", "2"); },
      [](const penstock::Context& c, penstock::KeyValue* kv) { return kv->Delete(c, "a"); },
      [](const penstock::Context& c, penstock::KeyValue* kv) {
        return kv
            ->Write(c, {Condition::ValueEquals("a", "1"), Condition::Absent("b")},
                    {Mutation::Put("a", "2"), Mutation::Delete("b")})
            .status();
      },
  };
  for (const Change change : changes) {
    for (const bool used_before : {false, true}) {
      auto transaction = (*db)->Transaction(ctx);
      ASSERT_TRUE(transaction.ok()) << transaction.status();
      auto within = (*transaction)->KeyValue("k");
      if (used_before) {
        EXPECT_TRUE(within->Get(ctx, "a").ok());
      }
      EXPECT_FALSE((*transaction)->Exec(ctx, kEndMine).ok());
      EXPECT_FALSE(change(ctx, within.get()).ok());
    }
  }
  EXPECT_EQ(Ask("SELECT count(*) FROM penstock_kv_k"), "1");
}

}  // namespace
}  // namespace penstock::testing
