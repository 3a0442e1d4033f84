// Migrations of two daemons on one database, which each of them takes for a CockroachDB
// and reaches through a proxy of its own.
#include <atomic>
#include <filesystem>
#include <thread>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "penstock/penstock.h"
#include "tests/chaos/fixture.h"
#include "tests/support/migrate.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

constexpr char kVersion[] = "CockroachDB CCL v24.1.2 (x86_64-pc-linux-gnu)";
constexpr char kSerializable[] = " options='-c default_transaction_isolation=serializable'";

class MigrationTakeover : public ChaosTest {
 protected:
  MigrationTakeover()
      : ChaosTest("cockroachdb"), other_proxy_(PostgresCluster::Shared().socket_folder()) {
    proxy().ReportCockroach(kVersion);
    other_proxy_.ReportCockroach(kVersion);
    database().driver.connection_string += kSerializable;
    // A busy machine may take half of it to connect.
    database().migrations_lease = std::chrono::seconds(2);
    server::Config config = SqliteConfig(other_folder_.path());
    config.databases.at("main") = database();
    config.databases.at("main").driver.connection_string =
        other_proxy_.connection_string(name_) + kSerializable;
    other_ = std::make_unique<Gateway>(config);
  }

  MigrationWire Mine() { return MigrationWire(wire().channel()); }
  MigrationWire Others() { return MigrationWire(Wire(other_->target()).channel()); }
  std::unique_ptr<Provider> Client(Gateway& gateway) { return *New({.target = gateway.target()}); }

  TempDir other_folder_;
  PgwireProxy other_proxy_;
  std::unique_ptr<Gateway> other_;
  const Context ctx_ = Context().WithTimeout(absl::Seconds(60));
};

TEST_F(MigrationTakeover, SchemaChangesAreInNoTransaction) {
  const MigrationFiles files = {
      {"1_a.up.sql", "BEGIN;\nCREATE TABLE a (n bigint);\nINSERT INTO a VALUES (1);\nCOMMIT;"},
      {"2_b.up.sql", "INSERT INTO a VALUES (2);\nINSERT INTO a VALUES (3);"},
      {"3_c.up.sql", "ALTER TABLE a ADD COLUMN b bigint;\nCREATE INDEX a_n ON a (nothing);"}};
  const Migrated failed = Mine().Up(files);
  EXPECT_THAT(failed.status.error_message(), HasSubstr("3_c.up.sql, line 2 (statement 2 of 2)"));
  EXPECT_EQ(AskServer("SELECT version, state, statement FROM penstock_migrations ORDER BY id"),
            "1 done 0 2 done 0 3 failed 2");
  // The statement before the one that failed is done, and stays.
  EXPECT_EQ(AskServer("SELECT count(b), count(n) FROM a"), "0 3");
  bool open = false;
  int changes = 0;
  int rows = 0;
  for (const std::string& sql : proxy().statements()) {
    if (sql.starts_with("BEGIN")) open = true;
    if (sql == "COMMIT" || sql == "ROLLBACK") open = false;
    if (sql.starts_with("CREATE") || sql.starts_with("ALTER")) {
      EXPECT_FALSE(open) << sql;
      ++changes;
    }
    if (sql == "INSERT INTO a VALUES (2)" || sql == "INSERT INTO a VALUES (3)") {
      EXPECT_TRUE(open) << sql;
      ++rows;
    }
  }
  EXPECT_EQ(changes, 5);  // the lock's table and the history's too
  EXPECT_EQ(rows, 2);
}

TEST_F(MigrationTakeover, TwoDaemonsAndTenClientsApplyEachStepOnce) {
  MigrationFiles files = {{"1_t.up.sql", "CREATE TABLE t (n bigint)"}};
  constexpr int kSteps = 20;
  for (int i = 2; i <= kSteps; ++i) {
    files.push_back({fmt::format("{}_insert.up.sql", i),
                     fmt::format("{}INSERT INTO t VALUES ({})",
                                 i % 2 == 0 ? "" : "-- penstock: no-transaction\n", i)});
  }
  wire();
  std::atomic<int> done{0};
  std::vector<std::thread> clients;
  for (int i = 0; i < 10; ++i) {
    clients.emplace_back([&, i] {
      const Migrated up = (i % 2 == 0 ? Mine() : Others()).Up(files);
      EXPECT_TRUE(up.status.ok()) << up.status.error_message();
      done += up.done();
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(done.load(), kSteps);
  EXPECT_EQ(AskServer("SELECT count(*), count(DISTINCT n) FROM t"), "19 19");
  EXPECT_EQ(AskServer("SELECT count(*), max(id) FROM penstock_migrations"), "20 20");
}

// While one works, however long, the other waits, and says so when its time is up.
TEST_F(MigrationTakeover, TheLeaseOutlivesItsLength) {
  std::thread holder([this] {
    const Migrated up = Mine().Up({{"1_slow.up.sql", "SELECT pg_sleep(6)"}});
    EXPECT_TRUE(up.status.ok()) << up.status.error_message();
  });
  Eventually([this] {
    return AskServer(
               "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
               "AND query = 'SELECT pg_sleep(6)'") == "1";
  });
  MigrateStart start;
  start.mutable_lock_timeout()->set_seconds(3);
  const Migrated refused = Others().Migrate(start, {{"1_slow.up.sql", "SELECT 1"}});
  EXPECT_EQ(refused.detail.reason(), v1::REASON_MIGRATION_LOCKED);
  holder.join();
}

// The holder hangs in the middle of its step for longer than its lease. The other one
// takes over; when the holder comes back, it is refused and what it did is undone.
TEST_F(MigrationTakeover, AHolderThatHangsIsFencedOff) {
  // Not in the schema of the migrations, which begins empty.
  AskServer("CREATE SCHEMA outside");
  AskServer("CREATE TABLE outside.t (who text)");
  const auto insert = [this](Transaction* tx, const std::string& who) {
    return tx->Exec(ctx_, "INSERT INTO outside.t VALUES ($1)", who).status();
  };
  const std::unique_ptr<Provider> mine = Client(gateway());
  const std::unique_ptr<Provider> others = Client(*other_);
  MigrateOptions other_options;
  other_options.code.push_back(
      {.version = 1, .name = "fill", .up = [&](Transaction* tx) { return insert(tx, "other"); }});
  MigrateOptions options;
  options.code.push_back({.version = 1, .name = "fill", .up = [&](Transaction* tx) {
                            EXPECT_TRUE(insert(tx, "mine").ok());
                            proxy().Stall(PgwireProxy::Direction::kToServer);
                            proxy().Stall(PgwireProxy::Direction::kToClient);
                            // Waits for the lease to end.
                            const auto up = others->Migrate(ctx_, "", other_options);
                            EXPECT_TRUE(up.ok()) << up.status();
                            proxy().Resume();
                            return absl::OkStatus();
                          }});
  const absl::Status refused = mine->Migrate(ctx_, "", options).status();
  EXPECT_EQ(GetErrorDetails(refused).reason, "MIGRATION_LOCKED") << refused;
  EXPECT_EQ(AskServer("SELECT who FROM outside.t"), "other");
  EXPECT_EQ(AskServer("SELECT version, state FROM penstock_migrations"), "1 done");
  EXPECT_EQ(mine->Migrate(ctx_, "", options)->steps, 0);
}

// In a step without a transaction: the history says where it hung, the other one
// repairs, and the holder does not write over that.
TEST_F(MigrationTakeover, AHolderThatHangsWithoutATransactionIsFencedOff) {
  // Not in the schema of the migrations, which begins empty.
  AskServer("CREATE SCHEMA outside");
  AskServer("CREATE TABLE outside.log (n bigint)");
  const MigrationFiles files = {{"1_a.up.sql",
                                 "-- penstock: no-transaction\nSELECT pg_sleep(2);\n"
                                 "INSERT INTO outside.log VALUES (1);"}};
  Migrated mine;
  std::thread holder([&] { mine = Mine().Up(files); });
  Eventually([this] {
    return AskServer(
               "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
               "AND query = 'SELECT pg_sleep(2)'") == "1";
  });
  proxy().Stall(PgwireProxy::Direction::kToServer);
  proxy().Stall(PgwireProxy::Direction::kToClient);
  // Once the lease has ended.
  const Migrated refused = Others().Up(files);
  EXPECT_THAT(refused.status.error_message(), HasSubstr("was interrupted at statement 1"));
  MigrateStart repair;
  repair.mutable_repair()->set_version(1);
  repair.mutable_repair()->set_action(v1::MigrateRequest::Repair::ACTION_MARK_NOT_APPLIED);
  EXPECT_TRUE(Others().Migrate(repair, files).status.ok());
  const Migrated up = Others().Up(files);
  EXPECT_TRUE(up.status.ok()) << up.status.error_message();
  proxy().Resume();
  holder.join();
  EXPECT_EQ(mine.detail.reason(), v1::REASON_MIGRATION_LOCKED) << mine.status.error_message();
  EXPECT_EQ(AskServer("SELECT n FROM outside.log"), "1");
  EXPECT_EQ(AskServer("SELECT version, direction, state FROM penstock_migrations ORDER BY id"),
            "1 down done 1 up done");
}

}  // namespace
}  // namespace penstock::testing
