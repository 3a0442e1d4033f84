// Connections that are lost under transactions, cursors and streams.
#include <chrono>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/support/gateway.h"
#include "tests/support/pipeline_stream.h"
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
    database.driver = driver::Config();
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

TEST_F(LostLinkTest, ALostTransactionIsToBeRunAgainAndHoldsNothing) {
  for (int i = 0; i < 12; ++i) {
    TransactionStream stream(wire());
    stream.Begin();
    const auto killed = stream.Exec(kEndMine);
    EXPECT_EQ(killed.error().detail().reason(), v1::REASON_CONNECTION_LOST);
    EXPECT_EQ(killed.error().detail().retry(), v1::RETRY_TRANSACTION);
    // The stream is still open, and the pool has one place.
    EXPECT_EQ(Ask("SELECT 1"), "1");
    const auto again = stream.Exec("SELECT 1");
    EXPECT_EQ(again.error().detail().reason(), v1::REASON_CONNECTION_LOST);
    EXPECT_EQ(again.error().detail().retry(), v1::RETRY_TRANSACTION);
    EXPECT_TRUE(stream.Rollback().has_rolled_back());
  }
}

TEST_F(LostLinkTest, ALostCursorIsToBeRunAgainAndHoldsNothing) {
  const std::string ends_late =
      "SELECT repeat('x', 1000), CASE WHEN i = 5000 THEN pg_terminate_backend(pg_backend_pid()) "
      "END FROM generate_series(1, 10000) AS g(i)";
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(wire().Query(ends_late).status.error_code(), grpc::StatusCode::UNAVAILABLE);
    EXPECT_EQ(Ask("SELECT 1"), "1");
    TransactionStream stream(wire());
    stream.Begin();
    const Outcome lost = stream.Query(ends_late);
    EXPECT_EQ(lost.detail.retry(), v1::RETRY_TRANSACTION) << lost.status.error_message();
    EXPECT_EQ(Ask("SELECT 2"), "2");
  }
}

// Each of the pool's connections is lost at once, as when a server is restarted; one
// failure is all that a caller meets.
TEST_F(LostLinkTest, WhoeverAsksAgainMeetsNoneThatWasLostWithIt) {
  config_.databases.at("main").pool.max_open = 6;
  config_.databases.at("main").pool.max_idle = 6;
  for (int round = 0; round < 3; ++round) {
    std::vector<std::unique_ptr<TransactionStream>> open;
    for (int i = 0; i < 4; ++i) {
      open.push_back(std::make_unique<TransactionStream>(wire()));
      open.back()->Begin();
    }
    EXPECT_EQ(Ask("SELECT 1"), "1");
    for (size_t i = 1; i < open.size(); ++i) open[i]->Rollback();
    open[0]->Exec(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = "
        "current_database() AND pid <> pg_backend_pid()");
    EXPECT_FALSE(open[0]->Query(kEndMine).status.ok());
    for (int i = 0; i < 6; ++i) EXPECT_EQ(Ask("SELECT 2"), "2");
  }
}

// Every connection is lost again and again while a stream has hundreds of calls in flight: each has
// one outcome, and each row is there as often as its call was told.
TEST_F(LostLinkTest, EachCallOfAPipelineHasItsOwnOutcome) {
  config_.databases.at("main").pool.max_open = 4;
  ASSERT_TRUE(wire().Exec("CREATE TABLE t (id INTEGER)").status.ok());
  PipelineStream stream(wire());
  constexpr uint64_t kRounds = 20;
  constexpr uint64_t kCalls = 200;
  int64_t done = 0;
  int64_t unknown = 0;
  int64_t failed = 0;
  uint64_t id = 0;
  for (uint64_t round = 0; round < kRounds; ++round) {
    std::vector<PipelineStream::Call> calls;
    for (uint64_t i = 0; i < kCalls; ++i) {
      ++id;
      calls.push_back(id % 2 == 0 ? PipelineStream::Query(id, "SELECT $1", {Int(1)})
                                  : PipelineStream::Exec(id, "INSERT INTO t VALUES ($1)",
                                                         {Int(static_cast<int64_t>(id))}));
    }
    stream.Send(calls);
    wire().Query(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = "
        "current_database() AND pid <> pg_backend_pid()");
    for (const PipelineStream::Call& call : calls) {
      const Outcome outcome = stream.Receive(call);
      ASSERT_TRUE(outcome.status.ok() || outcome.detail.reason() != v1::REASON_UNSPECIFIED)
          << outcome.status.error_message();
      if (call.has_query()) {
        EXPECT_NE(outcome.detail.reason(), v1::REASON_COMMIT_OUTCOME_UNKNOWN);
      } else if (outcome.status.ok()) {
        ++done;
      } else if (outcome.detail.reason() == v1::REASON_COMMIT_OUTCOME_UNKNOWN) {
        ++unknown;
      } else {
        ++failed;
      }
    }
    EXPECT_TRUE(stream.answers().empty());
  }
  EXPECT_TRUE(stream.Finish().ok());
  EXPECT_GT(done, 0);
  EXPECT_EQ(done + unknown + failed, static_cast<int64_t>(kRounds * kCalls / 2));
  const int64_t rows = std::stoll(Ask("SELECT count(*) FROM t"));
  EXPECT_GE(rows, done);
  EXPECT_LE(rows, done + unknown);
  EXPECT_EQ(Ask("SELECT count(*) - count(DISTINCT id) FROM t"), "0");
}

TEST_F(LostLinkTest, ADrainEndsATransactionThatIsToBeRunAgain) {
  config_.server.drain_grace = std::chrono::milliseconds(50);
  TransactionStream stream(wire());
  stream.Begin();
  EXPECT_TRUE(stream.Query("SELECT 1").status.ok());
  gateway_->daemon().Drain();
  const grpc::Status ended = stream.Finish();
  EXPECT_EQ(DetailOf(ended).reason(), v1::REASON_DRAINING) << ended.error_message();
  EXPECT_EQ(DetailOf(ended).retry(), v1::RETRY_TRANSACTION);
}

}  // namespace
}  // namespace penstock::testing
