// `penstock migrate` as people use it: its commands, what it refuses, its exit codes.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <regex>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/integration/migrate_fixture.h"

namespace penstock::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class MigrateCli : public MigrateProcess {
 protected:
  void SetUp() override { daemon_ = ReadyDaemon("a"); }

  // The refusal of `up` names this, before anything runs.
  void ExpectRefused(const MigrationFiles& files, const std::string& what, int code = 5) {
    EXPECT_EQ(Cli({"up", Folder(files)}), code) << said_;
    EXPECT_THAT(said_, HasSubstr(what));
    EXPECT_EQ(said_.find(" ms"), std::string::npos) << said_;
  }

  std::string Ask(const std::string& sql) { return Wire(target("a")).Query(sql).text(); }

  std::unique_ptr<Process> daemon_;
};

const MigrationFiles kTwo = {{"1_a.up.sql", "CREATE TABLE a (n INTEGER);"},
                             {"1_a.down.sql", "DROP TABLE a;"},
                             {"2_b.up.sql", "INSERT INTO a VALUES (1);"},
                             {"2_b.down.sql", "DELETE FROM a;"}};

TEST_P(MigrateCli, ExitCodes) {
  const std::string folder = Folder(kTwo);
  EXPECT_EQ(Cli({"status", folder}), 4) << said_;
  EXPECT_THAT(said_, HasSubstr("pending"));
  EXPECT_EQ(Cli({"dry-run", folder}), 0) << said_;
  EXPECT_THAT(said_, AllOf(HasSubstr("CREATE TABLE a (n INTEGER);"), HasSubstr("2 steps to run")));
  EXPECT_EQ(Cli({"up", folder}), 0) << said_;
  EXPECT_THAT(said_, AllOf(HasSubstr("1_a.up.sql"), HasSubstr("the database is at version 2")));
  EXPECT_EQ(Cli({"status", folder}), 0) << said_;
  EXPECT_EQ(Cli({"down", folder}), 0) << said_;
  EXPECT_EQ(Cli({"to", folder, "0"}), 0) << said_;
  EXPECT_EQ(Cli({"up"}), 2);
  EXPECT_EQ(Cli({"sideways", folder}), 2);
  EXPECT_EQ(Cli({"up", path("nowhere")}), 1);
  EXPECT_THAT(said_, HasSubstr(path("nowhere")));
  EXPECT_EQ(Cli({"up", Folder({{"1_bad.up.sql", "nonsense;"}})}), 1);
  EXPECT_THAT(said_, HasSubstr("1_bad.up.sql, line 1"));
  Kill(daemon_.get());
  EXPECT_EQ(Cli({"up", folder}), 3) << said_;
}

TEST_P(MigrateCli, EachRefusalNamesTheFile) {
  ExpectRefused({{"create.sql", "SELECT 1"}}, "create.sql: invalid name for a migration file", 1);
  ExpectRefused({{"1_a.up.oracle.sql", "SELECT 1"}}, "1_a.up.oracle.sql", 1);
  ExpectRefused(
      {{"18446744073709551616_a.up.sql", "SELECT 1"}},
      "18446744073709551616_a.up.sql: invalid name for a migration file: its version exceeds", 1);
  ExpectRefused({{"1_a.up.sql", "SELECT 1"}, {"01_b.up.sql", "SELECT 1"}},
                "01_b.up.sql and 1_a.up.sql are both the up of version 1", 1);
  ExpectRefused({{"1_a.down.sql", "SELECT 1"}}, "1_a.down.sql: no up file exists", 1);
  ExpectRefused({{"1_a.up.sql", "SELECT 'a"}}, "1_a.up.sql", 1);
  ExpectRefused({{"1_a.up.sql", "\xff\xfe"}}, "1_a.up.sql: the file is not valid UTF-8", 1);
  ExpectRefused({{"1_a.up.sql", "ROLLBACK;"}}, "1_a.up.sql, line 1: ROLLBACK", 1);

  // The greatest version there is, a byte order mark and Windows' line ends are fine.
  MigrationFiles files = kTwo;
  files.push_back({"9223372036854775807_last.up.sql", "INSERT INTO a VALUES (9);"});
  ASSERT_EQ(Cli({"up", Folder(files)}), 0) << said_;
  files[0].second = "\xEF\xBB\xBF" + files[0].second;
  EXPECT_EQ(Cli({"up", Folder(files)}), 0) << said_;

  MigrationFiles changed = files;
  changed[2].second = "INSERT INTO a VALUES (2);";
  ExpectRefused(changed, "2_b.up.sql: the file has changed since it was applied");
  MigrationFiles gap = files;
  gap.push_back({"3_c.up.sql", "SELECT 1"});
  ExpectRefused(gap, "3_c.up.sql: not applied, but the later version 9223372036854775807 is");
  const MigrationFiles missing = {files[0], files[1], files[4]};
  ExpectRefused(missing, "migration 2 (b) is applied, but its file is missing");
  EXPECT_EQ(Cli({"down", Folder(files)}), 5);
  EXPECT_THAT(
      said_,
      HasSubstr("9223372036854775807_last.up.sql: cannot be undone, because it has no down file"));
}

TEST_P(MigrateCli, WindowsLineEndsAreTheSameFile) {
  ASSERT_EQ(Cli({"up", Folder({{"1_a.up.sql", "CREATE TABLE a (\r\n  n INTEGER\r\n);\r\n"}})}), 0)
      << said_;
  EXPECT_EQ(Cli({"status", Folder({{"1_a.up.sql",
                                    "\xEF\xBB\xBF"
                                    "CREATE TABLE a (\n  n INTEGER\n);\n"}})}),
            0)
      << said_;
}

TEST_P(MigrateCli, RepairOfAStepThatStopped) {
  const std::string bad = "-- penstock: no-transaction\nCREATE TABLE a (n INTEGER);\nnonsense;\n";
  const std::string folder = Folder({{"1_a.up.sql", bad}});
  EXPECT_EQ(Cli({"up", folder}), 1);
  EXPECT_THAT(said_, HasSubstr("1_a.up.sql, line 3 (statement 2 of 2)"));
  EXPECT_EQ(Cli({"up", folder}), 5);
  EXPECT_THAT(said_, HasSubstr("continue with statement 2 (again) or 3"));
  EXPECT_EQ(Cli({"repair", folder}), 2);
  EXPECT_EQ(Cli({"repair", folder, "--resume", "7"}), 5);
  EXPECT_THAT(said_, HasSubstr("version 7 does not exist"));
  // With the file corrected, the same statement again.
  const std::string good = Folder(
      {{"1_a.up.sql",
        "-- penstock: no-transaction\nCREATE TABLE a (n INTEGER);\nINSERT INTO a VALUES (1);\n"}});
  EXPECT_EQ(Cli({"repair", good, "--resume", "1"}), 0) << said_;
  EXPECT_THAT(said_, HasSubstr("recorded: 1 a up resume"));
  EXPECT_EQ(Cli({"up", good}), 0) << said_;
  EXPECT_EQ(Ask("SELECT n FROM a"), "1");
  EXPECT_EQ(Cli({"status", good}), 0) << said_;
}

TEST_P(MigrateCli, RepairOfAHistory) {
  ASSERT_EQ(Cli({"up", Folder(kTwo)}), 0) << said_;
  MigrationFiles changed = kTwo;
  changed[2].second += " -- a comment";
  const std::string folder = Folder(changed);
  EXPECT_EQ(Cli({"status", folder}), 5);
  EXPECT_EQ(Cli({"repair", folder, "--applied", "2"}), 0) << said_;
  EXPECT_EQ(Cli({"status", folder}), 0) << said_;
  EXPECT_EQ(Cli({"repair", folder, "--not-applied", "2"}), 0) << said_;
  EXPECT_EQ(Cli({"status", folder}), 4) << said_;
  EXPECT_EQ(Cli({"up", folder}), 0) << said_;
  EXPECT_EQ(Ask("SELECT count(*) FROM a"), "2");
}

TEST_P(MigrateCli, BaselineOfADatabaseThatIsThere) {
  ASSERT_TRUE(Wire(target("a")).Exec("CREATE TABLE a (n INTEGER)").status.ok());
  const std::string folder = Folder(kTwo);
  EXPECT_EQ(Cli({"baseline", folder, "1"}), 0) << said_;
  EXPECT_EQ(Cli({"up", folder}), 0) << said_;
  EXPECT_EQ(Cli({"baseline", folder, "1"}), 5);
  EXPECT_EQ(Ask("SELECT n FROM a"), "1");
}

TEST_P(MigrateCli, NewFilesCanBeApplied) {
  const std::string folder = path("new");
  EXPECT_EQ(Cli({"new", folder, "create_users"}), 0) << said_;
  EXPECT_EQ(Cli({"new", folder, "add_names"}), 0) << said_;
  for (const char* file : {"0001_create_users.up.sql", "0001_create_users.down.sql",
                           "0002_add_names.up.sql", "0002_add_names.down.sql"}) {
    EXPECT_TRUE(std::filesystem::exists(folder + "/" + file)) << file;
  }
  EXPECT_THAT(said_, HasSubstr(folder + "/0002_add_names.up.sql"));
  // They are comments, so they do nothing, on purpose.
  EXPECT_EQ(Cli({"up", folder}), 0) << said_;
  EXPECT_EQ(Cli({"to", folder, "0"}), 0) << said_;
  EXPECT_EQ(Cli({"new", folder, "a b"}), 2);
  EXPECT_EQ(Cli({"new", folder, "later", "--timestamp"}), 0) << said_;
  EXPECT_TRUE(std::regex_search(said_, std::regex("/20[0-9]{12}_later\\.up\\.sql"))) << said_;
  // From then on versions are times.
  EXPECT_EQ(Cli({"new", folder, "last"}), 0) << said_;
  EXPECT_TRUE(std::regex_search(said_, std::regex("/20[0-9]{12}_last\\.up\\.sql"))) << said_;
}

INSTANTIATE_TEST_SUITE_P(Drivers, MigrateCli,
                         ::testing::Values("sqlite", "postgres", "cockroachdb"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace penstock::testing
