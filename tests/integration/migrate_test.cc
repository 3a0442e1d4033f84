// Migrations with the built programs: several daemons and clients at once, a large set
// of files, and the daemon that migrates when it starts.
#include <memory>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/integration/migrate_fixture.h"
#include "tests/integration/migration_set.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

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
  std::string all;
  for (const auto& [name, content] : files) all += content + "\n";
  for (const char* what :
       {"CREATE VIEW", "CREATE TRIGGER", "INDEX", "INSERT", "UPDATE", "DELETE"}) {
    EXPECT_THAT(all, HasSubstr(what));
  }
  if (!is_sqlite()) {
    EXPECT_THAT(all, HasSubstr("CREATE FUNCTION"));
    EXPECT_THAT(all, HasSubstr("INDEX CONCURRENTLY"));
  }
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
  EXPECT_THAT(down->output(), HasSubstr("20230103000000_seed.up.sql: cannot be undone"));
}

INSTANTIATE_TEST_SUITE_P(Drivers, MigrateProcess,
                         ::testing::Values("sqlite", "postgres", "cockroachdb"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace penstock::testing
