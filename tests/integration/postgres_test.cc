// What is PostgreSQL's own, through the wire, on a server of the test's.
#include <signal.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/support/gateway.h"
#include "tests/support/migrate.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/wire.h"

namespace penstock::testing {
namespace {

class PostgresTest : public ::testing::Test {
 protected:
  PostgresTest() : config_(SqliteConfig(folder_.path())) {
    server::DatabaseConfig& database = config_.databases.at("main");
    database.driver = driver::Config();
    database.driver.name = "main";
    database.driver.driver = "postgres";
    database.driver.connection_string = cluster_.connection_string(cluster_.CreateDatabase());
    // One connection, so that whoever comes next has the one before's.
    database.pool.max_open = 1;
    database.pool.max_idle = 1;
    Start();
  }

  void Start() {
    wire_.reset();
    gateway_.reset();
    gateway_ = std::make_unique<Gateway>(config_);
    wire_ = std::make_unique<Wire>(gateway_->target());
  }

  Wire& wire() { return *wire_; }
  std::string Ask(const std::string& sql, const Values& args = {}) {
    const Outcome outcome = wire().Query(sql, args);
    EXPECT_TRUE(outcome.status.ok()) << sql << ": " << outcome.status.error_message();
    return outcome.text();
  }

  TempDir folder_;
  PostgresCluster cluster_;
  server::Config config_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<Wire> wire_;
};

TEST_F(PostgresTest, NothingIsLeftBehindInASession) {
  const std::string pid = Ask("SELECT pg_backend_pid()");
  Ask("SET search_path TO nowhere");
  EXPECT_EQ(Ask("SHOW search_path"), "'\"$user\", public'");
  Ask("SELECT set_config('statement_timeout', '77', false)");
  EXPECT_EQ(Ask("SHOW statement_timeout"), "'0'");
  Ask("SELECT pg_advisory_lock(1)");
  EXPECT_EQ(Ask("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"), "0");
  Ask("CREATE TEMP TABLE left_behind (i integer)");
  EXPECT_EQ(wire().Query("SELECT * FROM left_behind").detail.reason(), v1::REASON_UNDEFINED_TABLE);
  EXPECT_EQ(wire().Exec("LISTEN news").detail.reason(), v1::REASON_UNSUPPORTED);
  EXPECT_EQ(Ask("SELECT count(*) FROM pg_listening_channels()"), "0");
  Ask("PREPARE mine AS SELECT 1");
  Ask("DEALLOCATE ALL");
  EXPECT_EQ(Ask("SELECT pg_backend_pid()"), pid) << "the connection was to be kept";
}

TEST_F(PostgresTest, ATransactionsSettingsEndWithIt) {
  TransactionStream transaction(wire());
  transaction.Begin();
  transaction.Exec("SET search_path TO nowhere");
  EXPECT_EQ(transaction.Query("SHOW search_path").text(), "'nowhere'");
  EXPECT_TRUE(transaction.Commit().has_committed());
  EXPECT_EQ(Ask("SHOW search_path"), "'\"$user\", public'");
}

TEST_F(PostgresTest, AStatementOutlivesAChangeOfItsTable) {
  Ask("CREATE TABLE t (a integer)");
  Ask("INSERT INTO t VALUES (1)");
  PrepareStream prepared(wire(), "SELECT * FROM t");
  EXPECT_EQ(prepared.Run({}).text(), "1");
  EXPECT_EQ(Ask("SELECT * FROM t"), "1");
  Ask("ALTER TABLE t ADD COLUMN b text DEFAULT 'x'");
  EXPECT_EQ(Ask("SELECT * FROM t"), "1|'x'");
}

// The server finds it out when it is to describe the statement, which aborts the transaction.
TEST_F(PostgresTest, APreparedStatementOfTheClientsFailsForItsOwnReason) {
  TransactionStream transaction(wire());
  transaction.Begin();
  for (const char* sql :
       {"CREATE TABLE gone AS SELECT 1 AS i", "PREPARE reads AS TABLE gone", "DROP TABLE gone"}) {
    EXPECT_TRUE(transaction.Exec(sql).has_executed()) << sql;
  }
  EXPECT_EQ(transaction.Query("EXECUTE reads").detail.sqlstate(), "42P01");
}

TEST_F(PostgresTest, ArraysTravelBothWays) {
  EXPECT_EQ(
      wire().Query("SELECT ARRAY[[1, NULL], [3, 4]]").rows.at(0).ShortDebugString(),
      "values { array { values { array { values { integer: 1 } values { null: NULL_VALUE } } } "
      "values { array { values { integer: 3 } values { integer: 4 } } } } }");
  v1::Value words;
  for (const char* word : {"plain", "with \"quotes\"", "back\\slash", "NULL", ""}) {
    words.mutable_array()->add_values()->set_text(word);
  }
  const Outcome outcome = wire().Query("SELECT $1::text[]", {words});
  EXPECT_EQ(outcome.rows.at(0).values(0).ShortDebugString(), words.ShortDebugString());
}

TEST_F(PostgresTest, ValuesDoNotAppearInErrors) {
  Ask("CREATE TABLE t (secret text PRIMARY KEY)");
  Ask("INSERT INTO t VALUES ($1)", {Text("hunter2")});
  for (const Outcome& outcome : {wire().Exec("INSERT INTO t VALUES ($1)", {Text("hunter2")}),
                                 wire().Query("SELECT $1::integer", {Text("hunter2")})}) {
    EXPECT_FALSE(outcome.status.ok());
    EXPECT_EQ(outcome.status.error_message().find("hunter2"), std::string::npos);
    EXPECT_EQ(outcome.detail.ShortDebugString().find("hunter2"), std::string::npos);
  }
}

TEST_F(PostgresTest, AKilledConnectionIsReplaced) {
  TransactionStream transaction(wire());
  transaction.Begin();
  const auto killed = transaction.Exec("SELECT pg_terminate_backend(pg_backend_pid())");
  EXPECT_EQ(killed.error().detail().reason(), v1::REASON_CONNECTION_LOST)
      << killed.ShortDebugString();
  EXPECT_FALSE(transaction.Commit().has_committed());
  EXPECT_EQ(Ask("SELECT 1"), "1");
}

TEST_F(PostgresTest, AServerThatIsDownIsToldAndMetAgain) {
  EXPECT_EQ(Ask("SELECT 1"), "1");
  cluster_.Stop(SIGINT);
  const Outcome down = wire().Query("SELECT 1");
  EXPECT_EQ(down.status.error_code(), grpc::StatusCode::UNAVAILABLE) << down.status.error_message();
  cluster_.Start();
  // The first may find the connection that the server closed.
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!wire().Query("SELECT 1").status.ok()) {
    ASSERT_LT(std::chrono::steady_clock::now(), until) << "it did not recover within 10 s";
  }
  EXPECT_EQ(Ask("SELECT 2"), "2");
}

TEST_F(PostgresTest, TheServerShowsWhoAsks) {
  const std::string who =
      "SELECT application_name FROM pg_stat_activity WHERE pid = pg_backend_pid()";
  auto db = penstock::New({.target = gateway_->target(), .application_name = "orders"});
  ASSERT_TRUE(db.ok()) << db.status();
  const penstock::Context ctx;
  const auto name_of = [](auto rows) {
    std::string name;
    EXPECT_TRUE(rows.ok()) << rows.status();
    EXPECT_TRUE((*rows)->Next() && (*rows)->Scan(&name).ok());
    return name;
  };
  EXPECT_EQ(name_of((*db)->Query(ctx, who)), "orders");
  EXPECT_EQ(Ask(who), "'penstock/main'");
  auto statement = (*db)->Prepare(ctx, who);
  ASSERT_TRUE(statement.ok()) << statement.status();
  EXPECT_EQ(name_of((*statement)->Query(ctx)), "orders");
  EXPECT_EQ(Ask(who), "'penstock/main'");
  {
    auto transaction = (*db)->Transaction(ctx);
    ASSERT_TRUE(transaction.ok()) << transaction.status();
    EXPECT_EQ(name_of((*transaction)->Query(ctx, who)), "orders");
  }
  Ask("CREATE TABLE callers (who text DEFAULT current_setting('application_name'))");
  ASSERT_TRUE((*db)->Exec(ctx, "INSERT INTO callers DEFAULT VALUES").ok());
  EXPECT_EQ(Ask("SELECT who FROM callers"), "'orders'");
  for (const std::string& bad : {std::string(64, 'x'), std::string("a\nb"), std::string("é")}) {
    EXPECT_FALSE(penstock::New({.application_name = bad}).ok()) << bad;
  }
}

// A request's limit is not a migration's, though both may have the same session.
TEST_F(PostgresTest, MigrationsAreNotUnderTheQueryTimeout) {
  server::DatabaseConfig& database = config_.databases.at("main");
  database.limits.query_timeout = std::chrono::seconds(60);
  database.driver.query_timeout = database.limits.query_timeout;
  Start();
  EXPECT_EQ(Ask("SHOW statement_timeout"), "'65s'");
  const Migrated up =
      MigrationWire(wire().channel())
          .Up({{"1_limit.up.sql",
                "SET search_path = public;\n"
                "CREATE TABLE a AS SELECT current_setting('statement_timeout') s"},
               {"2_limit.up.sql",
                "CREATE TABLE b AS SELECT current_setting('statement_timeout') s"}});
  ASSERT_TRUE(up.status.ok()) << up.status.error_message();
  EXPECT_EQ(Ask("SELECT a.s, b.s FROM a, b"), "'0'|'0'");
  EXPECT_EQ(Ask("SHOW statement_timeout"), "'65s'");
}

TEST_F(PostgresTest, ManyClientsShareOneConnection) {
  Ask("CREATE TABLE t (id bigint PRIMARY KEY, v text)");
  Ask("INSERT INTO t " + std::string("SELECT i, 'v' || i FROM generate_series(1, 1000) AS g(i)"));
  std::vector<std::thread> clients;
  for (int client = 0; client < 32; ++client) {
    clients.emplace_back([this, client] {
      PrepareStream stream(wire(), "SELECT v FROM t WHERE id = $1");
      for (int i = 1; i <= 50; ++i) {
        const int id = client * 31 % 900 + i;
        EXPECT_EQ(stream.Run({Int(id)}).text(), fmt::format("'v{}'", id));
      }
    });
  }
  for (std::thread& client : clients) client.join();
}

}  // namespace
}  // namespace penstock::testing
