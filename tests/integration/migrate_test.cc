// Migrations with the built programs: kills, several daemons and clients at once, a
// large set of files, and the daemon that migrates when it starts.
#include <signal.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <regex>
#include <thread>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/integration/migration_set.h"
#include "tests/support/gateway.h"
#include "tests/support/migrate.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/process.h"
#include "tests/support/wire.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

class MigrateProcess : public ::testing::TestWithParam<std::string> {
 protected:
  MigrateProcess() {
    if (!is_sqlite()) connection_ = PostgresCluster::Shared().connection_string(database_);
  }

  bool is_sqlite() const { return GetParam() == "sqlite"; }
  std::string path(const std::string& name) const { return folder_.path() + "/" + name; }
  std::string target(const std::string& daemon) const {
    return "unix:" + path(daemon + "/penstock.sock");
  }

  // A daemon on the test's database. `more` is added to its configuration.
  std::unique_ptr<Process> Daemon(const std::string& name, const std::string& more = "") {
    std::filesystem::create_directories(path(name));
    std::ofstream(path(name + ".yaml"))
        << "data_dir: " << path(name) << "\nserver:\n  listen: " << target(name)
        << "\n  http_listen: \"off\"\ndatabases:\n  main:\n    driver: " << GetParam() << "\n"
        << (is_sqlite() ? "    database: " + path("main.db")
                        : "    connection_string: \"" + connection_ + "\"")
        << "\n"
        << more;
    return std::make_unique<Process>(
        std::vector<std::string>{BuiltProgram("penstockd"), "--config", path(name + ".yaml")},
        path(name));
  }

  // A client in a folder of its own.
  std::unique_ptr<Process> Client(const std::string& daemon, const std::string& name,
                                  const std::vector<std::string>& words) {
    std::filesystem::create_directories(path(name));
    std::vector<std::string> all = {BuiltProgram("penstock"), "--target", target(daemon)};
    all.insert(all.end(), words.begin(), words.end());
    return std::make_unique<Process>(all, path(name));
  }

  std::string Folder(const MigrationFiles& files) {
    const std::string folder = path("migrations");
    std::filesystem::remove_all(folder);
    std::filesystem::create_directory(folder);
    for (const auto& [name, content] : files) std::ofstream(folder + "/" + name) << content;
    return folder;
  }

  // A statement that takes about a second.
  std::string Slow() const {
    return is_sqlite() ? "INSERT INTO log WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 "
                         "FROM c WHERE i < 3000000) SELECT max(i) FROM c"
                       : "INSERT INTO log SELECT 3000000 FROM pg_sleep(1)";
  }

  // Ten steps of which each leaves a row; the fifth is slow.
  MigrationFiles TenSteps() const {
    MigrationFiles files = {{"01_log.up.sql", "CREATE TABLE log (n INTEGER)"}};
    for (int i = 2; i <= 10; ++i) {
      files.push_back(
          {fmt::format("{:02}_insert.up.sql", i),
           fmt::format("INSERT INTO log VALUES ({});\n{};", i, i == 5 ? Slow() : "SELECT 1")});
    }
    return files;
  }

  void ExpectTenSteps(const std::string& daemon) {
    Wire wire(target(daemon));
    EXPECT_EQ(wire.Query("SELECT n FROM log ORDER BY n").text(),
              "2; 3; 4; 5; 6; 7; 8; 9; 10; 3000000");
    EXPECT_EQ(wire.Query("SELECT count(*), count(DISTINCT version) FROM penstock_migrations "
                         "WHERE state = 'done'")
                  .text(),
              "10|10");
  }

  // The schema without the history, and the data of one of the set's tables.
  std::string Dump(const std::string& daemon) {
    Wire wire(target(daemon));
    if (is_sqlite()) {
      return wire
          .Query(
              "SELECT type, name, sql FROM sqlite_schema WHERE tbl_name <> "
              "'penstock_migrations' ORDER BY type, name")
          .text();
    }
    Process dump({"/usr/lib/postgresql/15/bin/pg_dump", "--schema-only", "--no-owner",
                  "--exclude-table=penstock_migrations", connection_},
                 folder_.path());
    EXPECT_EQ(dump.Wait(), 0) << dump.output();
    // Newer ones print a word of chance.
    static const std::regex kChance("\\\\(un)?restrict .*");
    return std::regex_replace(dump.output(), kChance, "");
  }

  TempDir folder_;
  const std::string database_ =
      GetParam() == "sqlite" ? "" : PostgresCluster::Shared().CreateDatabase();
  std::string connection_;
};

// kill -9 of the daemon when an event comes; the next run ends it well.
TEST_P(MigrateProcess, TheDaemonIsKilledInEachPhase) {
  const MigrationFiles files = TenSteps();
  // The file whose step has just begun (in 05 it goes on for a second) or is done;
  // empty: as soon as there is a plan.
  struct Phase {
    std::string file;
    bool done;
  };
  const std::vector<Phase> phases = {{"", false},
                                     {"03_insert.up.sql", false},
                                     {"05_insert.up.sql", false},
                                     {"07_insert.up.sql", true}};
  for (const Phase& phase : phases) {
    const std::unique_ptr<Process> daemon = Daemon("a");
    ASSERT_TRUE(daemon->WaitForOutput("penstockd ready")) << daemon->output();
    MigrationWire wire(Wire(target("a")).channel());
    bool killed = false;
    v1::MigrateResponse::Plan plan;
    wire.Migrate({}, files, [&](const v1::MigrateResponse& event) {
      if (event.has_plan()) plan = event.plan();
      const bool there =
          phase.file.empty() || (event.has_step() && event.step().done() == phase.done &&
                                 plan.steps(event.step().index()).file() == phase.file);
      if (there && !killed) daemon->Signal(SIGKILL);
      killed = killed || there;
      return true;
    });
    EXPECT_TRUE(killed) << phase.file;
    daemon->Signal(SIGKILL);
    daemon->Wait();
  }
  const std::unique_ptr<Process> daemon = Daemon("a");
  ASSERT_TRUE(daemon->WaitForOutput("penstockd ready"));
  MigrationWire wire(Wire(target("a")).channel());
  const Migrated up = wire.Up(files);
  EXPECT_TRUE(up.status.ok()) << up.status.error_message();
  ExpectTenSteps("a");
}

TEST_P(MigrateProcess, TheDaemonIsKilledInAStepWithoutATransaction) {
  const MigrationFiles files = {{"1_log.up.sql", "CREATE TABLE log (n INTEGER)"},
                                {"2_slow.up.sql",
                                 "-- penstock: no-transaction\n"
                                 "INSERT INTO log VALUES (1);\n" +
                                     Slow() + ";\nINSERT INTO log VALUES (2);"}};
  {
    const std::unique_ptr<Process> daemon = Daemon("a");
    ASSERT_TRUE(daemon->WaitForOutput("penstockd ready"));
    Wire wire(target("a"));
    std::thread client([&] { MigrationWire(wire.channel()).Up(files); });
    // Until its second statement runs.
    for (std::string state; state != "'running'|2";) {
      state =
          wire.Query("SELECT state, statement FROM penstock_migrations WHERE version = 2").text();
    }
    daemon->Signal(SIGKILL);
    daemon->Wait();
    client.join();
  }
  const std::unique_ptr<Process> daemon = Daemon("a");
  ASSERT_TRUE(daemon->WaitForOutput("penstockd ready"));
  Wire wire(target("a"));
  MigrationWire migrations(wire.channel());
  const Migrated refused = migrations.Up(files);
  EXPECT_EQ(refused.detail.reason(), v1::REASON_MIGRATION_REFUSED);
  EXPECT_THAT(refused.status.error_message(), HasSubstr("was cut off at statement 2"));
  // As the message says: look, then decide. PostgreSQL ends what was running.
  const bool done = wire.Query("SELECT n FROM log WHERE n = 3000000").text() == "3000000";
  MigrateStart repair;
  repair.mutable_repair()->set_version(2);
  repair.mutable_repair()->set_action(v1::MigrateRequest::Repair::ACTION_RESUME);
  repair.mutable_repair()->set_statement(done ? 3 : 2);
  ASSERT_TRUE(migrations.Migrate(repair, files).status.ok());
  const Migrated up = migrations.Up(files);
  EXPECT_TRUE(up.status.ok()) << up.status.error_message();
  EXPECT_EQ(wire.Query("SELECT n FROM log ORDER BY n").text(), "1; 2; 3000000");
}

TEST_P(MigrateProcess, TheClientIsKilled) {
  const std::string folder = Folder(TenSteps());
  const std::unique_ptr<Process> daemon = Daemon("a");
  ASSERT_TRUE(daemon->WaitForOutput("penstockd ready"));
  {
    const auto client = Client("a", "client", {"migrate", "up", folder});
    // The slow one is next.
    ASSERT_TRUE(client->WaitForOutput("04_insert.up.sql")) << client->output();
    client->Signal(SIGKILL);
    client->Wait();
  }
  const auto again = Client("a", "again", {"migrate", "up", folder});
  EXPECT_EQ(again->Wait(), 0) << again->output();
  ExpectTenSteps("a");
  const auto status = Client("a", "status", {"migrate", "status", folder});
  EXPECT_EQ(status->Wait(), 0) << status->output();
}

TEST_P(MigrateProcess, TwoDaemonsAndTenClientsApplyEachStepOnce) {
  const std::string folder = Folder(TenSteps());
  const std::unique_ptr<Process> daemons[] = {Daemon("a"), Daemon("b")};
  for (const auto& daemon : daemons) ASSERT_TRUE(daemon->WaitForOutput("penstockd ready"));
  std::vector<std::unique_ptr<Process>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(
        Client(i % 2 == 0 ? "a" : "b", fmt::format("client{}", i), {"migrate", "up", folder}));
  }
  for (const auto& client : clients) EXPECT_EQ(client->Wait(), 0) << client->output();
  ExpectTenSteps("a");
}

TEST_P(MigrateProcess, DaemonsThatMigrateWhenTheyStart) {
  const std::string start = "    migrate_on_start: " + Folder(TenSteps()) + "\n";
  const std::unique_ptr<Process> daemons[] = {Daemon("a", start), Daemon("b", start)};
  for (const auto& daemon : daemons) {
    ASSERT_TRUE(daemon->WaitForOutput("penstockd ready")) << daemon->output();
  }
  ExpectTenSteps("a");
  ExpectTenSteps("b");
}

TEST_P(MigrateProcess, ADaemonThatCannotMigrateDoesNotServe) {
  const std::string folder = Folder({{"1_bad.up.sql", "CREATE TABLE t (a INTEGER);\nnonsense;"}});
  const std::unique_ptr<Process> daemon = Daemon("a", "    migrate_on_start: " + folder + "\n");
  EXPECT_EQ(daemon->Wait(), 1);
  EXPECT_THAT(daemon->output(), HasSubstr("migrating 'main': 1_bad.up.sql, line 2"));
}

// More than 150 migrations: half way, all the way, back and forth again.
TEST_P(MigrateProcess, ALargeSetGoesUpAndDownAndUp) {
  const MigrationFiles files = LargeSet(is_sqlite());
  ASSERT_GE(files.size(), 2u * 150u);
  const std::unique_ptr<Process> daemon = Daemon("a");
  ASSERT_TRUE(daemon->WaitForOutput("penstockd ready"));
  MigrationWire wire(Wire(target("a")).channel());
  const std::string empty = Dump("a");
  const auto to = [&](int64_t version) {
    MigrateStart start;
    start.mutable_to()->set_version(version);
    const Migrated went = wire.Migrate(start, files);
    EXPECT_TRUE(went.status.ok()) << went.status.error_message();
    return Dump("a");
  };
  const std::string half = to(77);
  const std::string whole = to(static_cast<int64_t>(files.size() / 2));
  EXPECT_NE(half, whole);
  EXPECT_EQ(to(77), half);
  EXPECT_EQ(to(static_cast<int64_t>(files.size() / 2)), whole);
  EXPECT_EQ(to(0), empty);
}

// As people have them: times as versions, transactions around the file, an index
// that is built concurrently, down files that are empty or missing.
TEST_P(MigrateProcess, AFolderOfGolangMigrate) {
  MigrationFiles files = {
      {"20230101000000_create_users.up.sql",
       "BEGIN;\r\nCREATE TABLE IF NOT EXISTS users (\r\n  id INTEGER PRIMARY KEY,\r\n  name "
       "VARCHAR(300) NOT NULL\r\n);\r\nCOMMIT;\r\n"},
      {"20230101000000_create_users.down.sql", "DROP TABLE IF EXISTS users;"},
      {"20230102000000_users_name.up.sql",
       is_sqlite() ? "CREATE INDEX users_name ON users (name);"
                   : "CREATE INDEX CONCURRENTLY IF NOT EXISTS users_name ON users (name);"},
      {"20230102000000_users_name.down.sql", ""},
      {"20230103000000_seed.up.sql", "INSERT INTO users VALUES (1, 'O''Hara; -- no comment');"},
      {"migrations.go", "package migrations"},
      {"README.md", "-"}};
  const std::unique_ptr<Process> daemon = Daemon("a");
  ASSERT_TRUE(daemon->WaitForOutput("penstockd ready"));
  const auto up = Client("a", "up", {"migrate", "up", Folder(files)});
  EXPECT_EQ(up->Wait(), 0) << up->output();
  EXPECT_EQ(Wire(target("a")).Query("SELECT name FROM users").text(), "'O'Hara; -- no comment'");
  const auto down = Client("a", "down", {"migrate", "down", Folder(files)});
  EXPECT_EQ(down->Wait(), 5);
  EXPECT_THAT(down->output(), HasSubstr("20230103000000_seed.up.sql: it cannot be taken back"));
}

INSTANTIATE_TEST_SUITE_P(Drivers, MigrateProcess, ::testing::Values("sqlite", "postgres"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace penstock::testing
