// Folders and databases as people have them: what another tool has migrated, files that
// are no migrations, statements that PostgreSQL does not run in a transaction.
#include <sys/stat.h>

#include <fstream>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "tests/integration/migrate_fixture.h"
#include "tests/support/postgres_cluster.h"

namespace penstock::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class MigrateAsItIs : public MigrateProcess {
 protected:
  void SetUp() override { daemon_ = ReadyDaemon("a"); }

  std::string Ask(const std::string& sql) { return Wire(target("a")).Query(sql).text(); }
  void Do(const std::string& sql) {
    const auto done = Wire(target("a")).Exec(sql);
    EXPECT_TRUE(done.status.ok()) << sql << ": " << done.status.error_message();
  }

  std::unique_ptr<Process> daemon_;
};

const MigrationFiles kTwo = {{"1_a.up.sql", "CREATE TABLE a (n INTEGER PRIMARY KEY);"},
                             {"1_a.down.sql", "DROP TABLE a;"},
                             {"2_b.up.sql", "INSERT INTO a VALUES (2);"},
                             {"2_b.down.sql", "DELETE FROM a;"}};

TEST_P(MigrateAsItIs, ADatabaseThatAnotherToolHasMigrated) {
  Do("CREATE TABLE schema_migrations (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT "
     "NULL)");
  Do("INSERT INTO schema_migrations VALUES (1, false)");
  Do("CREATE TABLE a (n INTEGER PRIMARY KEY)");
  const std::string folder = Folder(kTwo);
  for (const char* command : {"up", "dry-run"}) {
    EXPECT_EQ(Cli({command, folder}), 5) << said_;
    EXPECT_THAT(said_, AllOf(HasSubstr("it has the table schema_migrations"),
                             HasSubstr("`penstock migrate adopt FOLDER`")));
  }
  EXPECT_EQ(Cli({"status", folder}), 5) << said_;
  EXPECT_THAT(said_, AllOf(StartsWith("no migration is applied: 2 pending"),
                           HasSubstr("`up` would be refused"), HasSubstr("schema_migrations")));
  EXPECT_EQ(Cli({"adopt", folder}), 0) << said_;
  EXPECT_THAT(said_, HasSubstr("recorded: 1 a up done"));
  EXPECT_EQ(Cli({"status", folder}), 4) << said_;
  EXPECT_EQ(Cli({"up", folder}), 0) << said_;
  EXPECT_EQ(Ask("SELECT n FROM a"), "2");
  EXPECT_EQ(Cli({"adopt", folder}), 5) << said_;
  EXPECT_EQ(Cli({"to", folder, "0"}), 0) << said_;
}

TEST_P(MigrateAsItIs, ASchemaThatIsNotEmpty) {
  Do("CREATE TABLE somebodys (n INTEGER)");
  const std::string folder = Folder(kTwo);
  EXPECT_EQ(Cli({"up", folder}), 5) << said_;
  EXPECT_THAT(said_, AllOf(HasSubstr("its schema is not empty (somebodys)"),
                           HasSubstr("`penstock migrate baseline FOLDER VERSION`")));
  EXPECT_EQ(Cli({"baseline", folder, "0"}), 0) << said_;
  EXPECT_EQ(Cli({"up", folder}), 0) << said_;
  EXPECT_EQ(Ask("SELECT n FROM a"), "2");
}

TEST_P(MigrateAsItIs, ADaemonThatMigratesWhenItStartsRefusesIt) {
  Do("CREATE TABLE somebodys (n INTEGER)");
  Kill(daemon_.get());
  const auto daemon = Daemon("b", "    migrate_on_start: " + Folder(kTwo) + "\n");
  EXPECT_EQ(daemon->Wait(), 1);
  EXPECT_THAT(daemon->output(), HasSubstr("its schema is not empty (somebodys)"));
}

TEST_P(MigrateAsItIs, OtherFilesAreNamedOnce) {
  MigrationFiles files = kTwo;
  files.push_back({"schema.sql", "nonsense"});
  files.push_back({"1_a.up.mysql.sql", "nonsense"});
  files.push_back({"README.md", "-"});
  EXPECT_EQ(Cli({"up", Folder(files)}), 0) << said_;
  for (const char* name : {"schema.sql", "1_a.up.mysql.sql"}) {
    const std::string line = std::string("ignored: ") + name;
    ASSERT_THAT(said_, HasSubstr(line));
    EXPECT_EQ(said_.find(line), said_.rfind(line)) << said_;
  }
  EXPECT_THAT(said_, Not(HasSubstr("README")));
}

TEST_P(MigrateAsItIs, WhatIsNoMigrationAtAllIsNoSuccess) {
  for (const MigrationFiles& files :
       {MigrationFiles{}, MigrationFiles{{"0001_a.UP.SQL", "SELECT 1"}},
        MigrationFiles{{"notes.txt", "x"}}, MigrationFiles{{"schema.sql", "x"}}}) {
    const std::string folder = Folder(files);
    EXPECT_EQ(Cli({"up", folder}), 1) << said_;
    EXPECT_EQ(Cli({"status", folder}), 1) << said_;
  }
}

TEST_P(MigrateAsItIs, VersionsFromZeroToTheLast) {
  const std::string folder =
      Folder({{"0_a.up.sql", "CREATE TABLE a (n INTEGER);"},
              {"0_a.down.sql", "DROP TABLE a;"},
              {"18446744073709551615_b.up..sql", "INSERT INTO a VALUES (1);"},
              {"18446744073709551615_b.down.db.sql", "DELETE FROM a;"}});
  EXPECT_EQ(Cli({"up", folder}), 0) << said_;
  EXPECT_THAT(said_, HasSubstr("the database is at version 18446744073709551615"));
  EXPECT_EQ(Cli({"status", folder, "--format", "csv"}), 0) << said_;
  EXPECT_THAT(said_, HasSubstr("\n18446744073709551615,b,applied,"));
  EXPECT_EQ(Cli({"up", folder}), 0) << said_;
  EXPECT_THAT(said_, HasSubstr("nothing to do"));
  EXPECT_EQ(Cli({"to", folder, "0"}), 0) << said_;
  EXPECT_EQ(Ask("SELECT count(*) FROM a"), "0");
  EXPECT_EQ(Cli({"down", folder, "--all"}), 0) << said_;
  EXPECT_EQ(Cli({"status", folder}), 4) << said_;
}

TEST_P(MigrateAsItIs, FilesOfGoose) {
  const std::string folder =
      Folder({{"00001_a.sql",
               "-- +goose Up\n-- +goose StatementBegin\nCREATE TABLE a (n INTEGER);\n-- +goose "
               "StatementEnd\nINSERT INTO a VALUES (1);\n-- +goose Down\nDROP TABLE a;\n"},
              {"00002_b.sql",
               "-- +goose Up\nINSERT INTO a VALUES (2);\n-- +goose Down\nDELETE FROM a;\n"}});
  EXPECT_EQ(Cli({"up", folder}), 0) << said_;
  EXPECT_EQ(Ask("SELECT n FROM a ORDER BY n"), "1; 2");
  EXPECT_EQ(Cli({"down", folder}), 0) << said_;
  EXPECT_EQ(Ask("SELECT n FROM a"), "");
  EXPECT_EQ(Cli({"down", folder}), 0) << said_;
  EXPECT_EQ(Cli({"status", folder}), 4) << said_;
}

TEST_P(MigrateAsItIs, StatusSaysFirstHowItIs) {
  MigrationFiles files;
  for (int i = 1; i <= 30; ++i) {
    files.push_back(
        {fmt::format("{}_step.up.sql", i), fmt::format("CREATE TABLE t{} (n INTEGER)", i)});
  }
  ASSERT_EQ(Cli({"up", Folder(files)}), 0) << said_;
  files.push_back({"31_pending.up.sql", "SELECT 1"});
  files[2].second += " ";
  const std::string folder = Folder(files);
  EXPECT_EQ(Cli({"status", folder}), 5) << said_;
  EXPECT_THAT(said_, AllOf(StartsWith("the database is at version 30: 29 applied, 1 pending, 1 "
                                      "CHANGED\n`up` would be refused:\n"),
                           HasSubstr("`penstock migrate repair FOLDER --applied 3`"),
                           HasSubstr("31"), Not(HasSubstr("| 30 "))));
  EXPECT_EQ(Cli({"status", folder, "--all"}), 5) << said_;
  EXPECT_THAT(said_, HasSubstr("| applied "));
}

INSTANTIATE_TEST_SUITE_P(Drivers, MigrateAsItIs, ::testing::Values("sqlite", "postgres"),
                         [](const auto& tested) { return tested.param; });

// What sqlite3 does with the script is what the migrator does.
class MigrateOnSqlite : public MigrateAsItIs {};
TEST_P(MigrateOnSqlite, ADryRunIsAScriptForSqlite3) {
  const std::string folder = Folder(
      {{"1_a.up.sql",
        "CREATE TABLE a (n INTEGER PRIMARY KEY);\nCREATE TABLE b (a INTEGER REFERENCES a ON DELETE "
        "CASCADE);\nINSERT INTO a VALUES (1);\nINSERT INTO b VALUES (1) -- c"},
       {"2_b.up.sql",
        "PRAGMA foreign_keys=OFF;\nCREATE TABLE a2 (n INTEGER PRIMARY KEY, s TEXT);\nINSERT INTO "
        "a2 "
        "SELECT n, ';' FROM a;\nDROP TABLE a;\nALTER TABLE a2 RENAME TO a;"},
       {"3_c.up.sql", "VACUUM;"},
       {"4_d.up.sql", "CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM b; END"}});
  ASSERT_EQ(Cli({"dry-run", folder}), 0) << said_;
  std::ofstream(path("script.sql")) << said_;
  const auto run = [this](const std::string& file, const std::string& command) {
    Process sqlite3({"sqlite3", "-bail", file, command}, folder_.path());
    EXPECT_EQ(sqlite3.Wait(), 0) << sqlite3.output();
    return sqlite3.output();
  };
  run(path("script.db"), ".read " + path("script.sql"));
  ASSERT_EQ(Cli({"up", folder}), 0) << said_;
  for (const char* what :
       {"SELECT name, sql FROM sqlite_schema WHERE tbl_name <> 'penstock_migrations' ORDER BY name",
        "SELECT n, s, b.a FROM a, b"}) {
    EXPECT_EQ(run(path("main.db"), what), run(path("script.db"), what)) << what;
  }
  EXPECT_EQ(Ask("SELECT count(*) FROM b"), "1");
}
INSTANTIATE_TEST_SUITE_P(Drivers, MigrateOnSqlite, ::testing::Values("sqlite"),
                         [](const auto& tested) { return tested.param; });

// What only PostgreSQL has.
class MigrateOnPostgres : public MigrateAsItIs {
 protected:
  std::string Psql(const std::string& file) const {
    Process psql({PostgresProgram("psql"), "-X", "-v", "ON_ERROR_STOP=1", "-f", file, server_},
                 folder_.path());
    EXPECT_EQ(psql.Wait(), 0) << psql.output();
    return psql.output();
  }
};

TEST_P(MigrateOnPostgres, ADryRunIsAScriptForPsql) {
  const std::string folder = Folder(
      {{"1_a.up.sql", "CREATE TABLE a (n INTEGER, s TEXT);\nINSERT INTO a VALUES (1, ';') -- c"},
       {"2_b.up.sql", "CREATE INDEX CONCURRENTLY i ON a (n);"},
       {"3_c.up.sql",
        "CREATE FUNCTION f() RETURNS integer LANGUAGE sql BEGIN ATOMIC SELECT 1; END"},
       {"4_d.up.sql", "-- nothing"}});
  ASSERT_EQ(Cli({"dry-run", folder}), 0) << said_;
  std::ofstream(path("script.sql")) << said_;
  Psql(path("script.sql"));
  const std::string scripted = Dump("a");
  Do("DROP TABLE a");
  Do("DROP FUNCTION f");
  ASSERT_EQ(Cli({"up", folder}), 0) << said_;
  EXPECT_EQ(Dump("a"), scripted);
}

// The server says that it cannot be in a transaction.
TEST_P(MigrateOnPostgres, ALoneStatementThatTheServerRefusesInATransaction) {
  const std::string folder =
      Folder({{"1_a.up.sql",
               "CREATE TABLE p (n INTEGER) PARTITION BY RANGE (n);\nCREATE INDEX i ON p "
               "(n);\nCREATE TABLE "
               "p1 PARTITION OF p FOR VALUES FROM (1) TO (9);\nCREATE PROCEDURE commits() LANGUAGE "
               "plpgsql "
               "AS 'BEGIN INSERT INTO p VALUES (1); COMMIT; INSERT INTO p VALUES (2); END';"},
              {"2_b.up.sql", "REINDEX TABLE p;"},
              {"3_c.up.sql", "REINDEX SCHEMA public;"},
              {"4_d.up.sql", "CALL commits();"},
              {"5_e.up.sql", "DO $$ BEGIN INSERT INTO p VALUES (3); COMMIT; END $$"}});
  EXPECT_EQ(Cli({"up", folder}), 0) << said_;
  EXPECT_EQ(Ask("SELECT n FROM p ORDER BY n"), "1; 2; 3");
  EXPECT_EQ(Ask("SELECT count(*) FROM penstock_migrations WHERE state = 'done'"), "5");
}

TEST_P(MigrateOnPostgres, AmongOthersItHasTheHint) {
  const std::string first = "CREATE TABLE p (n INTEGER) PARTITION BY RANGE (n);\n";
  EXPECT_EQ(Cli({"up", Folder({{"1_a.up.sql", first + "REINDEX TABLE p;"}})}), 1);
  EXPECT_THAT(said_, AllOf(HasSubstr("1_a.up.sql, line 2"),
                           HasSubstr("move the statement into a file of its own")));
  EXPECT_EQ(
      Cli({"up", Folder({{"1_a.up.sql", "CREATE TYPE mood AS ENUM ('sad');\nSELECT 1"},
                         {"2_b.up.sql", "ALTER TYPE mood ADD VALUE 'ok';\nSELECT 'ok'::mood;"}})}),
      1);
  EXPECT_THAT(said_, AllOf(HasSubstr("2_b.up.sql, line 2"),
                           HasSubstr("move the ALTER TYPE into a file of its own before")));
}

// The row is the migrator's, whoever the file has made the session.
TEST_P(MigrateOnPostgres, AFileThatSetsTheRole) {
  Do("DROP ROLE IF EXISTS migrate_owner");
  Do("CREATE ROLE migrate_owner");
  Do("GRANT CREATE ON SCHEMA public TO migrate_owner");
  const std::string folder =
      Folder({{"1_a.up.sql", "SET ROLE migrate_owner;\nCREATE TABLE a (n INTEGER);"},
              {"2_b.up.sql", "CREATE TABLE b (n INTEGER);"},
              {"3_c.up.sql",
               "-- penstock: no-transaction\nSET SESSION AUTHORIZATION migrate_owner;\n"
               "CREATE TABLE c (n INTEGER);\nCREATE TABLE d (n INTEGER);"}});
  EXPECT_EQ(Cli({"up", folder}), 0) << said_;
  EXPECT_EQ(
      Ask("SELECT tablename::text, tableowner::text FROM pg_tables WHERE schemaname = 'public' "
          "AND tableowner = 'migrate_owner' ORDER BY 1"),
      "'a'|'migrate_owner'; 'c'|'migrate_owner'; 'd'|'migrate_owner'");
  Do("DROP OWNED BY migrate_owner");
  Do("DROP ROLE migrate_owner");
}

TEST_P(MigrateOnPostgres, AnIsolationLevelIsKept) {
  EXPECT_EQ(Cli({"up", Folder({{"1_a.up.sql",
                                "BEGIN ISOLATION LEVEL SERIALIZABLE;\nCREATE TABLE a AS SELECT "
                                "current_setting('transaction_isolation') AS s;\nCOMMIT;"}})}),
            0)
      << said_;
  EXPECT_EQ(Ask("SELECT s FROM a"), "'serializable'");
}

TEST_P(MigrateOnPostgres, TheLineOfTheErrorIsNamed) {
  EXPECT_EQ(Cli({"up", Folder({{"1_a.up.sql", "SELECT 1;\r\nSELECT 'ä',\r\n  2,\r\n  nowhere"}})}),
            1);
  EXPECT_THAT(said_, HasSubstr("1_a.up.sql, line 4 (statement 2 of 2)"));
}

TEST_P(MigrateOnPostgres, BytesOfLiteralsStay) {
  const std::string text = "a\r\nb\rc\n";
  EXPECT_EQ(
      Cli({"up",
           Folder({{"1_a.up.sql", "CREATE TABLE a (s TEXT);\r\nINSERT INTO a VALUES ('" + text +
                                      "'), ($$" + text + "$$), (E'" + text + "');\r\n"}})}),
      0)
      << said_;
  EXPECT_EQ(Ask("SELECT DISTINCT encode(s::bytea, 'hex') FROM a"), "'610d0a620d630a'");
}

// An index that is invalid is never what ends as applied.
TEST_P(MigrateOnPostgres, AnInvalidIndexIsKnownToRepair) {
  ASSERT_EQ(Cli({"up", Folder({{"1_a.up.sql",
                                "CREATE TABLE a (n INTEGER);\nINSERT INTO a VALUES (1), (1);"}})}),
            0);
  for (const char* create : {"CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS a_n ON a (n);",
                             "CREATE UNIQUE INDEX CONCURRENTLY ON a (n);"}) {
    const std::string folder =
        Folder({{"1_a.up.sql", "CREATE TABLE a (n INTEGER);\nINSERT INTO a VALUES (1), (1);"},
                {"2_b.up.sql", create}});
    EXPECT_EQ(Cli({"up", folder}), 1) << said_;
    EXPECT_THAT(said_, HasSubstr("DROP INDEX CONCURRENTLY a_n"));
    for (const char* how : {"--applied", "--resume"}) {
      EXPECT_EQ(Cli({"repair", folder, how, "2"}), 5) << said_;
      EXPECT_THAT(said_, AllOf(HasSubstr("2_b.up.sql: the index a_n"), HasSubstr("is invalid")));
    }
    // Nor does it end so where IF NOT EXISTS takes it for the one it should make, or where
    // another one is made beside it.
    ASSERT_EQ(Cli({"repair", folder, "--not-applied", "2"}), 0) << said_;
    Do("DELETE FROM a");
    EXPECT_EQ(Cli({"up", folder}), 5) << said_;
    for (const char* index : {"a_n", "a_n_idx", "a_n_idx1"}) {
      Do(std::string("DROP INDEX IF EXISTS ") + index);
    }
    EXPECT_EQ(Cli({"repair", folder, "--resume", "2"}), 0) << said_;
    EXPECT_EQ(Cli({"up", folder}), 0) << said_;
    EXPECT_EQ(Cli({"repair", folder, "--not-applied", "2"}), 0) << said_;
    for (const char* index : {"a_n", "a_n_idx"}) {
      Do(std::string("DROP INDEX IF EXISTS ") + index);
    }
    Do("INSERT INTO a VALUES (1), (1)");
  }
}

// PgBouncer in front of the server. The lock belongs to a session, which a pool of
// transactions gives to somebody else.
class MigrateThroughPgBouncer : public MigrateOnPostgres {
 protected:
  void SetUp() override {}

  void Start(const std::string& mode) {
    chmod(pool_folder_.path().c_str(), 0777);
    const std::string config = pool_folder_.path() + "/pgbouncer.ini";
    std::ofstream(config) << fmt::format(
        "[databases]\n* = host={} port=5432 user=postgres\n[pgbouncer]\nlisten_addr "
        "=\nunix_socket_dir = {}\nlisten_port = 6432\nauth_type = any\npool_mode = "
        "{}\nignore_startup_parameters = extra_float_digits,options\n",
        PostgresCluster::Shared().socket_folder(), pool_folder_.path(), mode);
    pool_ =
        std::make_unique<Process>(AsPostgres({"/usr/sbin/pgbouncer", config}), pool_folder_.path());
    ASSERT_TRUE(pool_->WaitForOutput("process up")) << pool_->output();
    connection_ =
        "host=" + pool_folder_.path() + " port=6432 " + server_.substr(server_.find("user="));
    daemon_ = ReadyDaemon("a");
  }

  std::string Locks() const {
    Process psql(
        {PostgresProgram("psql"), "-XAtc",
         "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT "
         "oid FROM pg_database WHERE datname = current_database())",
         server_},
        folder_.path());
    EXPECT_EQ(psql.Wait(), 0) << psql.output();
    return psql.output();
  }

  TempDir pool_folder_;
  std::unique_ptr<Process> pool_;
};

TEST_P(MigrateThroughPgBouncer, APoolOfTransactionsIsRefusedAndKeepsNoLock) {
  Start("transaction");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(Cli({"up", Folder(kTwo)}), 5) << said_;
    EXPECT_THAT(said_, HasSubstr("PgBouncer in transaction mode"));
    EXPECT_EQ(Locks(), "0\n");
  }
}

TEST_P(MigrateThroughPgBouncer, APoolOfSessionsIsFine) {
  Start("session");
  EXPECT_EQ(Cli({"up", Folder(kTwo)}), 0) << said_;
  EXPECT_EQ(Locks(), "0\n");
}

INSTANTIATE_TEST_SUITE_P(Drivers, MigrateThroughPgBouncer, ::testing::Values("postgres"),
                         [](const auto& tested) { return tested.param; });
INSTANTIATE_TEST_SUITE_P(Drivers, MigrateOnPostgres, ::testing::Values("postgres"),
                         [](const auto& tested) { return tested.param; });

}  // namespace
}  // namespace penstock::testing
