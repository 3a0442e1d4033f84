// kill -9 of the daemon and of the client, in each phase of a migration: the next run
// ends it well, or says what has to be repaired, and the repair does it.
#include <signal.h>

#include <random>
#include <thread>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/integration/migrate_fixture.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

class MigrateKill : public MigrateProcess {
 protected:
  // Steps of one and of two statements, with a transaction and without, each of which
  // leaves one row in `log`.
  static MigrationFiles MixedSteps(int count) {
    MigrationFiles files = {{"1_log.up.sql", MakeLog()}};
    for (int i = 2; i <= count; ++i) {
      std::string text = i % 3 == 0 ? "-- penstock: no-transaction\n" : "";
      text += Insert(i) + ";\n";
      if (i % 2 == 0) text += Insert(1000 + i) + ";\n";
      files.push_back({fmt::format("{}_insert.up.sql", i), text});
    }
    return files;
  }

  void ExpectMixedSteps(int count) {
    Wire wire(target("a"));
    const int rows = count - 1 + count / 2;
    EXPECT_EQ(wire.Query("SELECT count(*), count(DISTINCT value) FROM log").text(),
              fmt::format("{0}|{0}", rows));
    EXPECT_EQ(
        History(wire, "SELECT count(*), count(DISTINCT version) FROM history WHERE state = 'done'"),
        fmt::format("{0}|{0}", count));
  }
};

// When an event comes: the file whose step has just begun (in 05 it goes on for a second)
// or is done; empty: as soon as there is a plan.
TEST_P(MigrateKill, TheDaemonWhenSomethingHappens) {
  const MigrationFiles files = TenSteps();
  struct Phase {
    std::string file;
    bool done;
  };
  const std::vector<Phase> phases = {{"", false},
                                     {"03_insert.up.sql", false},
                                     {"05_insert.up.sql", false},
                                     {"07_insert.up.sql", true}};
  for (const Phase& phase : phases) {
    const std::unique_ptr<Process> daemon = ReadyDaemon("a");
    // What the kill before has left to repair, where the first step is in no transaction.
    if (!has_transactional_ddl()) FinishByRepair("a", {files[0]});
    MigrationWire wire(Wire(target("a")).channel());
    bool killed = false;
    v1::MigrateResponse::Plan plan;
    wire.Migrate({}, files, [&](const v1::MigrateResponse& event) {
      if (event.has_plan()) plan = event.plan();
      const bool there = phase.file.empty()
                             ? event.has_plan()
                             : (event.has_step() && event.step().done() == phase.done &&
                                plan.steps(event.step().index()).file() == phase.file);
      if (there && !killed) daemon->Signal(SIGKILL);
      killed = killed || there;
      return true;
    });
    EXPECT_TRUE(killed) << phase.file;
    Kill(daemon.get());
  }
  const std::unique_ptr<Process> daemon = ReadyDaemon("a");
  MigrationWire wire(Wire(target("a")).channel());
  const Migrated up = wire.Up(files);
  EXPECT_TRUE(up.status.ok()) << up.status.error_message();
  ExpectTenSteps("a");
}

// The daemon is ahead of what the client has heard, so this is anywhere.
TEST_P(MigrateKill, TheDaemonAtAnyPoint) {
  constexpr int kSteps = 150;
  const MigrationFiles files = MixedSteps(kSteps);
  // A fixed seed: what differs is where the daemon is meanwhile.
  std::mt19937 random(5);
  std::uniform_int_distribution<int> events(1, 20);
  int killed = 0;
  for (int kill = 0; kill < 12; ++kill) {
    const std::unique_ptr<Process> daemon = ReadyDaemon("a");
    UpOneByRepair("a", files);
    MigrationWire wire(Wire(target("a")).channel());
    int left = events(random);
    wire.Migrate({}, files, [&](const v1::MigrateResponse&) {
      if (--left == 0) daemon->Signal(SIGKILL);
      return true;
    });
    if (left <= 0) ++killed;
    Kill(daemon.get());
  }
  EXPECT_GE(killed, 6);
  const std::unique_ptr<Process> daemon = ReadyDaemon("a");
  FinishByRepair("a", files);
  ExpectMixedSteps(kSteps);
}

TEST_P(MigrateKill, TheClientAtAnyPoint) {
  constexpr int kKills = 8;
  constexpr int kSteps = 20 * (kKills + 1);
  const MigrationFiles files = MixedSteps(kSteps);
  const std::string folder = Folder(files);
  const std::unique_ptr<Process> daemon = ReadyDaemon("a");
  for (int kill = 1; kill <= kKills; ++kill) {
    UpOneByRepair("a", files);
    const auto client = Client("a", fmt::format("client{}", kill), {"migrate", "up", folder});
    // The daemon is ahead of it, so that it may have come to its end.
    (void)client->WaitForOutput("_insert.up.sql");
    Kill(client.get());
  }
  FinishByRepair("a", files);
  ExpectMixedSteps(kSteps);
}

TEST_P(MigrateKill, TheDaemonInAStepWithoutATransaction) {
  const MigrationFiles files = {{"1_log.up.sql", MakeLog()},
                                {"2_slow.up.sql", "-- penstock: no-transaction\n" + Insert(1) +
                                                      ";\n" + Slow() + ";\n" + Insert(2) + ";"}};
  {
    const std::unique_ptr<Process> daemon = ReadyDaemon("a");
    Wire wire(target("a"));
    std::thread client([&] { MigrationWire(wire.channel()).Up(files); });
    // Until its second statement runs.
    for (std::string state; state != "'running'|2";) {
      state = History(wire, "SELECT state, statement FROM history WHERE version = 2");
    }
    Kill(daemon.get());
    client.join();
  }
  const std::unique_ptr<Process> daemon = ReadyDaemon("a");
  Wire wire(target("a"));
  const Migrated refused = MigrationWire(wire.channel()).Up(files);
  EXPECT_EQ(refused.detail.reason(), v1::REASON_MIGRATION_REFUSED);
  EXPECT_THAT(refused.status.error_message(), HasSubstr("was interrupted at statement 2"));
  // As the message says: look, then decide. PostgreSQL ends what was running.
  FinishByRepair("a", files);
  EXPECT_EQ(Numbers(wire), "1; 2; 3000000");
}

TEST_P(MigrateKill, TheClientInASlowStep) {
  const std::string folder = Folder(TenSteps());
  const std::unique_ptr<Process> daemon = ReadyDaemon("a");
  {
    const auto client = Client("a", "client", {"migrate", "up", folder});
    // The slow one is next.
    ASSERT_TRUE(client->WaitForOutput("04_insert.up.sql")) << client->output();
    Kill(client.get());
  }
  EXPECT_EQ(Cli({"up", folder}), 0) << said_;
  ExpectTenSteps("a");
  EXPECT_EQ(Cli({"status", folder}), 0) << said_;
}

// The statement is cancelled and recorded: what to do is said, and done by the command.
TEST_P(MigrateKill, TheClientInAStepWithoutATransaction) {
  const std::string folder =
      Folder({{"1_log.up.sql", MakeLog()},
              {"2_slow.up.sql", "-- penstock: no-transaction\n" + Insert(1) + ";\n" + Slow() +
                                    ";\n" + Insert(2) + ";"}});
  const std::unique_ptr<Process> daemon = ReadyDaemon("a");
  Wire wire(target("a"));
  {
    const auto client = Client("a", "client", {"migrate", "up", folder});
    for (std::string state; state != "'running'|2";) {
      state = History(wire, "SELECT state, statement FROM history WHERE version = 2");
    }
    Kill(client.get());
  }
  EXPECT_EQ(Cli({"up", folder}), 5);
  EXPECT_THAT(said_, HasSubstr("2_slow.up.sql: statement 2 of the up step failed"));
  EXPECT_EQ(Cli({"status", folder}), 5);
  EXPECT_THAT(said_, HasSubstr("UNFINISHED"));
  EXPECT_EQ(Numbers(wire), "1");
  EXPECT_EQ(Cli({"repair", folder, "--resume", "2"}), 0) << said_;
  EXPECT_EQ(Cli({"status", folder}), 4);
  EXPECT_THAT(said_, HasSubstr("continues with statement 2"));
  EXPECT_EQ(Cli({"up", folder}), 0) << said_;
  EXPECT_EQ(Numbers(wire), "1; 2; 3000000");
}

TEST_P(MigrateKill, WhoeverWaitsForTheLock) {
  const MigrationFiles files = TenSteps();
  const std::string folder = Folder(files);
  // Who migrates, and who has the transaction that holds it up. Nobody else may have
  // pebble's database open, so that there all of it dies with the one daemon.
  const std::string holder = is_pebble() ? "a" : "b";
  const std::string blocker = is_pebble() ? "a" : "c";
  std::unique_ptr<Process> daemon = ReadyDaemon("a");
  std::vector<std::unique_ptr<Process>> others;
  if (!is_pebble()) {
    others.push_back(ReadyDaemon(holder));
    others.push_back(ReadyDaemon(blocker));
  }
  ASSERT_TRUE(MigrationWire(Wire(target(holder)).channel()).Up({files[0]}).status.ok());
  Wire blocking(target(blocker));
  TransactionStream transaction(blocking);
  BlockHistory(&transaction);
  const auto working = Client(holder, "working", {"migrate", "up", folder});
  AwaitBlocked(blocking);
  // It waits for the lock; one of its clients is killed, and then it is.
  const auto client = Client("a", "client", {"migrate", "up", folder});
  const auto other = Client("a", "other", {"migrate", "up", folder});
  EXPECT_TRUE(client->WaitForOutput("waiting for another migrator")) << client->output();
  Kill(client.get());
  EXPECT_TRUE(other->WaitForOutput("waiting for another migrator")) << other->output();
  Kill(daemon.get());
  EXPECT_EQ(other->Wait(), 3) << other->output();
  if (!is_pebble()) transaction.Rollback();
  EXPECT_EQ(working->Wait(), is_pebble() ? 3 : 0) << working->output();
  daemon = ReadyDaemon("a");
  EXPECT_EQ(Cli({"up", folder}), 0) << said_;
  EXPECT_THAT(said_, HasSubstr(is_pebble() ? "9 steps" : "nothing to do"));
  ExpectTenSteps("a");
}

TEST_P(MigrateKill, TheDaemonOrTheClientInACodeStep) {
  std::unique_ptr<Process> daemon = ReadyDaemon("a");
  ASSERT_TRUE(Wire(target("a")).Exec(MakeLog()).status.ok());
  // The table is nobody's migration.
  MigrateStart nothing;
  nothing.mutable_baseline()->set_version(0);
  ASSERT_TRUE(MigrationWire(Wire(target("a")).channel()).Migrate(nothing, {}).status.ok());
  for (const bool of_the_daemon : {false, true}) {
    Process client({BuiltProgram("code_step_client"), target("a")}, folder_.path());
    ASSERT_TRUE(client.WaitForOutput("in the code step")) << client.output();
    Kill(of_the_daemon ? daemon.get() : &client);
    if (of_the_daemon) daemon = ReadyDaemon("a");
  }
  // Nothing of it is there, and whoever comes next has the lock.
  Wire wire(target("a"));
  const Migrated up = MigrationWire(wire.channel()).Up({{"2_fill.up.sql", Insert(2)}});
  EXPECT_TRUE(up.status.ok()) << up.status.error_message();
  EXPECT_EQ(Numbers(wire), "2");
}

// While a row of the history is being written, before a statement and after the last.
TEST_P(MigrateKill, TheDaemonOrTheClientWhileRecording) {
  MigrationFiles files = {{"1_log.up.sql", MakeLog()}};
  const std::string blocker = is_pebble() ? "a" : "b";
  const std::unique_ptr<Process> other = is_pebble() ? nullptr : ReadyDaemon(blocker);
  std::unique_ptr<Process> daemon = ReadyDaemon("a");
  ASSERT_TRUE(MigrationWire(Wire(target("a")).channel()).Up(files).status.ok());
  int version = 1;
  for (const bool transactional : {false, true}) {
    for (const bool of_the_daemon : {false, true}) {
      ++version;
      files.push_back(
          {fmt::format("{}_insert.up.sql", version),
           (transactional ? "" : "-- penstock: no-transaction\n") + Insert(version) + ";"});
      Wire blocking(target(blocker));
      TransactionStream transaction(blocking);
      BlockHistory(&transaction);
      const auto client =
          Client("a", fmt::format("client{}", version), {"migrate", "up", Folder(files)});
      AwaitBlocked(blocking);
      Kill(of_the_daemon ? daemon.get() : client.get());
      if (!of_the_daemon || !is_pebble()) transaction.Rollback();
      if (of_the_daemon) daemon = ReadyDaemon("a");
      FinishByRepair("a", files);
      EXPECT_EQ(Wire(target("a")).Query("SELECT count(*), max(value) FROM log").text(),
                fmt::format("{}|{}", version - 1, version));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Drivers, MigrateKill,
                         ::testing::Values("sqlite", "postgres", "cockroachdb", "pebble"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace penstock::testing
