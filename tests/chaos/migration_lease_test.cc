// The lease that is CockroachDB's lock, as the migrator uses it: on a PostgreSQL at
// SERIALIZABLE behind a proxy that reports it as a CockroachDB.
#include <atomic>
#include <chrono>
#include <thread>

#include "drivers/api/error.h"
#include "gmock/gmock.h"
#include "migrations/migrator.h"
#include "server/database/driver_factory.h"
#include "tests/chaos/fixture.h"

namespace penstock::testing {
namespace {

using driver::Reason;
using migrations::File;
using migrations::HistoryRow;
using migrations::Migrator;
using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;

constexpr char kLock[] = "penstock_migrations_lock";

// A migrator with all that it needs.
struct Actor {
  driver::Cancellation cancellation;
  std::unique_ptr<driver::Connection> connection;
  std::unique_ptr<migrations::MigrationConnection> migration_connection;
  std::unique_ptr<Migrator> migrator;
  std::vector<migrations::PlanStep> plan;

  // Takes the lock, which is free, and makes the plan.
  void Begin() {
    const absl::StatusOr<bool> locked = migrator->TryLock();
    ASSERT_TRUE(locked.ok()) << locked.status();
    ASSERT_TRUE(*locked);
    auto made = migrator->MakePlan({}, false, false);
    ASSERT_TRUE(made.ok()) << made.status();
    plan = *std::move(made);
  }
  absl::Status Run(size_t step) { return migrator->RunStep(plan[step], nullptr).status(); }
};

class MigrationLease : public ChaosTest {
 protected:
  MigrationLease() : ChaosTest("cockroachdb") {
    proxy().ReportCockroach("CockroachDB CCL v24.1.2 (x86_64-pc-linux-gnu)");
    database().driver.connection_string +=
        " options='-c default_transaction_isolation=serializable'";
    auto opened = server::OpenDriver(database().driver);
    EXPECT_TRUE(opened.ok()) << opened.status();
    driver_ = *std::move(opened);
    // Not in the schema of the migrations, which begins empty.
    AskServer("CREATE SCHEMA outside");
    AskServer("CREATE TABLE outside.log (n bigint)");
  }

  absl::StatusOr<std::unique_ptr<driver::Connection>> Connect(const driver::Deadline& deadline) {
    return driver_->Connect(driver::Lane::kWrite, deadline);
  }

  std::unique_ptr<Actor> Make(const std::vector<File>& files, driver::Duration lease) {
    auto actor = std::make_unique<Actor>();
    actor->connection = *Connect(driver::Deadline::None());
    actor->migration_connection = std::make_unique<migrations::MigrationConnection>(
        actor->connection.get(), &actor->cancellation);
    actor->migration_connection->SetConnector(
        [this](const driver::Deadline& deadline) { return Connect(deadline); });
    auto dialect = *migrations::MakeDialect("cockroachdb", "penstock_migrations", {.lease = lease});
    auto source = migrations::ReadSource(files, {}, "cockroachdb", *dialect);
    EXPECT_TRUE(source.ok()) << source.status();
    actor->migrator = std::make_unique<Migrator>(std::move(dialect), *std::move(source),
                                                 actor->migration_connection.get());
    return actor;
  }

  // As if its holder had not been heard of for so long.
  void Expire() {
    AskServer("UPDATE penstock_migrations_lock SET expires_at = now() - interval '1 second'");
  }

  // Ends the session of a step that sleeps, once it does.
  void EndSleeper() {
    Eventually([this] {
      return AskServer(
                 "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query "
                 "LIKE 'SELECT pg_sleep(60)%' AND datname = current_database()") == "1";
    });
  }

  static Reason ReasonOf(const absl::Status& status) { return driver::GetErrorInfo(status).reason; }

  std::unique_ptr<driver::Driver> driver_;
};

const std::vector<File> kRows = {{"1_a.up.sql", "INSERT INTO outside.log VALUES (1);"},
                                 {"2_b.up.sql", "INSERT INTO outside.log VALUES (2);"}};
const std::vector<File> kTables = {{"1_a.up.sql", "CREATE TABLE a (n bigint);"},
                                   {"2_b.up.sql", "CREATE TABLE b (n bigint);"}};

TEST_F(MigrationLease, OneAtATimeAndTheFenceGrows) {
  const auto first = Make(kRows, seconds(30));
  const auto second = Make(kRows, seconds(30));
  first->Begin();
  EXPECT_EQ(*second->migrator->TryLock(), false);
  EXPECT_EQ(AskServer("SELECT fence FROM penstock_migrations_lock ORDER BY id"), "1 1");
  EXPECT_THAT(AskServer("SELECT owner FROM penstock_migrations_lock WHERE id = 1"),
              HasSubstr(" pid " + std::to_string(getpid()) + " on "));
  first->migrator->Unlock();
  EXPECT_EQ(AskServer("SELECT count(*) FROM penstock_migrations_lock WHERE owner <> ''"), "0");
  EXPECT_EQ(*second->migrator->TryLock(), true);
  EXPECT_EQ(AskServer("SELECT fence FROM penstock_migrations_lock ORDER BY id"), "2 2");
  EXPECT_EQ(*first->migrator->TryLock(), false);
}

// Another node's clock may be that much ahead of the one that has written when a lease ends.
TEST_F(MigrationLease, TheOffsetOfTheClocksIsWaitedOut) {
  const auto first = Make(kRows, seconds(30));
  const auto second = Make(kRows, seconds(30));
  first->Begin();
  // As if the end was just now.
  const auto end_since = [this](int ms) {
    AskServer("UPDATE penstock_migrations_lock SET expires_at = now() - interval '" +
              std::to_string(ms) + " milliseconds'");
  };
  end_since(0);
  EXPECT_EQ(*second->migrator->TryLock(), false);
  end_since(501);
  EXPECT_EQ(*second->migrator->TryLock(), true);
}

TEST_F(MigrationLease, OfManyAtOnceOneTakesIt) {
  std::vector<std::unique_ptr<Actor>> actors;
  for (int i = 0; i < 8; ++i) actors.push_back(Make(kRows, seconds(30)));
  std::atomic<int> holders{0};
  std::vector<std::thread> threads;
  for (const auto& actor : actors) {
    threads.emplace_back([&holders, &actor] {
      const absl::StatusOr<bool> locked = actor->migrator->TryLock();
      EXPECT_TRUE(locked.ok()) << locked.status();
      if (locked.ok() && *locked) ++holders;
    });
  }
  for (std::thread& thread : threads) thread.join();
  // Where all of them were in each other's way, nobody; the next attempt decides then.
  EXPECT_LE(holders.load(), 1);
}

// The heartbeat goes on while the migrator's connection is busy with one statement.
TEST_F(MigrationLease, ALongStatementKeepsIt) {
  // A busy machine may take half of it to connect.
  const auto holder = Make({{"1_a.up.sql", "SELECT pg_sleep(5);"}}, seconds(2));
  const auto other = Make(kRows, seconds(2));
  holder->Begin();
  std::atomic<bool> ended{false};
  std::thread thread([&] {
    const absl::Status status = holder->Run(0);
    EXPECT_TRUE(status.ok()) << status;
    ended = true;
  });
  while (!ended) {
    const absl::StatusOr<bool> locked = other->migrator->TryLock();
    EXPECT_TRUE(locked.ok()) << locked.status();
    EXPECT_FALSE(*locked);
  }
  thread.join();
  EXPECT_EQ(AskServer("SELECT count(*) FROM penstock_migrations"), "1");
}

// Whoever has been taken over for dead writes nothing any more, not even the row that
// comes before a statement: so the statement is not run either.
TEST_F(MigrationLease, AHolderThatWasTakenOverIsFencedOff) {
  for (const std::vector<File>& files : {kRows, kTables}) {
    const auto stale = Make(files, seconds(30));
    stale->Begin();
    Expire();
    const auto next = Make(files, seconds(30));
    next->Begin();
    const absl::Status refused = stale->Run(0);
    EXPECT_EQ(ReasonOf(refused), Reason::kMigrationLocked) << refused;
    EXPECT_THAT(std::string(refused.message()), HasSubstr("taken over the migration lock"));
    EXPECT_TRUE(next->Run(0).ok());
    EXPECT_TRUE(next->Run(1).ok());
    EXPECT_EQ(AskServer("SELECT version, state FROM penstock_migrations ORDER BY id"),
              "1 done 2 done");
    next->migrator->Unlock();
    AskServer("DELETE FROM penstock_migrations");
  }
  EXPECT_EQ(AskServer("SELECT n FROM outside.log ORDER BY n"), "1 2");
}

TEST_F(MigrationLease, ACodeStepThatWasTakenOverIsFencedOff) {
  const auto stale = Make(kRows, seconds(30));
  stale->Begin();
  ASSERT_TRUE(stale->migrator->BeginCode(stale->plan[0]).ok());
  ASSERT_TRUE(stale->migration_connection->Run("INSERT INTO outside.log VALUES (100)").ok());
  Expire();
  const auto next = Make(kRows, seconds(30));
  next->Begin();
  EXPECT_TRUE(next->Run(0).ok());
  const auto ended = stale->migrator->EndCode(stale->plan[0], absl::OkStatus());
  EXPECT_FALSE(ended.ok());
  EXPECT_EQ(AskServer("SELECT n FROM outside.log"), "1");
}

// What a heartbeat finds ends the statement that runs, and the next is not begun.
TEST_F(MigrationLease, AHeartbeatThatComesTooLateEndsTheStatement) {
  const auto stale =
      Make({{"1_a.up.sql", "SELECT pg_sleep(60); INSERT INTO outside.log VALUES (1);"}},
           milliseconds(600));
  stale->Begin();
  std::thread thread([&] {
    const absl::Status refused = stale->Run(0);
    EXPECT_EQ(ReasonOf(refused), Reason::kMigrationLocked) << refused;
  });
  AskServer("UPDATE penstock_migrations_lock SET fence = fence + 1, owner = 'somebody else'");
  thread.join();
  EXPECT_EQ(AskServer("SELECT count(*) FROM penstock_migrations"), "0");
  EXPECT_EQ(AskServer("SELECT count(*) FROM outside.log"), "0");
}

// Its holder stops by its own clock, without hearing from anybody.
TEST_F(MigrationLease, AHolderThatIsCutOffStopsByItself) {
  const auto stale = Make(kTables, seconds(3));
  stale->Begin();
  ASSERT_TRUE(stale->Run(0).ok());
  proxy().SetDoor(PgwireProxy::Door::kClosed);
  EXPECT_GT(proxy().Freeze(), 0);
  Eventually([&] { return stale->cancellation.cancelled(); });
  const absl::Status refused = stale->Run(1);
  EXPECT_EQ(ReasonOf(refused), Reason::kMigrationLocked) << refused;
  proxy().Cut();
}

TEST_F(MigrationLease, ASessionThatBreaksStillGivesItBack) {
  // Long enough for a busy machine: a lease that ends would end the step by itself.
  const auto holder = Make({{"1_a.up.sql", "SELECT pg_sleep(60);"}}, seconds(6));
  holder->Begin();
  const std::string expiry = "SELECT expires_at FROM penstock_migrations_lock WHERE id = 2";
  const std::string first = AskServer(expiry);
  std::thread thread([&] { EXPECT_FALSE(holder->Run(0).ok()); });
  // The heartbeat has a connection by then.
  Eventually([&] { return AskServer(expiry) != first; });
  EndSleeper();
  thread.join();
  holder->migrator->Unlock();
  EXPECT_EQ(AskServer("SELECT count(*) FROM penstock_migrations_lock WHERE owner <> ''"), "0");
}

TEST_F(MigrationLease, ASessionThatBreaksBeforeTheFirstHeartbeatGivesItBack) {
  const auto holder = Make({{"1_a.up.sql", "SELECT pg_sleep(60);"}}, seconds(600));
  holder->Begin();
  std::thread thread([&] { EXPECT_FALSE(holder->Run(0).ok()); });
  EndSleeper();
  thread.join();
  holder->migrator->Unlock();
  EXPECT_EQ(AskServer("SELECT count(*) FROM penstock_migrations_lock WHERE owner <> ''"), "0");
}

TEST_F(MigrationLease, AHistoryWriteThatHasToBeRepeatedIs) {
  const auto holder = Make({{"1_a.up.sql", "CREATE TABLE a (n bigint);"},
                            {"2_b.up.sql", "INSERT INTO outside.log VALUES (1);"}},
                           seconds(30));
  holder->Begin();
  const auto writes = [](std::string_view sql) {
    return sql.find("\"penstock_migrations\"") != std::string_view::npos &&
           (sql.starts_with("INSERT") || sql.starts_with("UPDATE"));
  };
  proxy().Inject({.matches = writes, .sqlstate = "40001", .times = 3});
  EXPECT_TRUE(holder->Run(0).ok());
  // A step in a transaction is repeated as a whole.
  proxy().Inject({.matches = writes, .sqlstate = "40001", .times = 2});
  proxy().Inject({.matches = Is("COMMIT"), .sqlstate = "40001", .times = 2});
  const absl::Status done = holder->Run(1);
  EXPECT_TRUE(done.ok()) << done;
  EXPECT_EQ(AskServer("SELECT id, version, state FROM penstock_migrations ORDER BY id"),
            "1 1 done 2 2 done");
  EXPECT_EQ(AskServer("SELECT n FROM outside.log"), "1");
  EXPECT_EQ(proxy().counts().faults, 7);
}

TEST_F(MigrationLease, ItsTableIsMadeOnceAndKept) {
  Make(kRows, seconds(30))->Begin();
  EXPECT_EQ(AskServer(std::string("SELECT count(*) FROM ") + kLock), "2");
  const auto again = Make(kRows, seconds(30));
  // Without the right to make tables this is what it has to do with.
  again->Begin();
  EXPECT_EQ(again->plan.size(), 2u);
}

}  // namespace
}  // namespace penstock::testing
