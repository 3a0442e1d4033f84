// Databases: defaults, credentials, the default one.
#include "gmock/gmock.h"
#include "tests/unit/config/fixture.h"

namespace penstock::server {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class DatabasesTest : public ConfigTest {};

TEST_F(DatabasesTest, EveryKey) {
  const auto config = LoadText(R"(
databases:
  main:
    driver: sqlite
    database: '@/app.db'
    max_open_connections: 9
    max_idle_connections: 3
    min_idle_connections: 2
    connection_max_lifetime: 1h
    connection_max_idle_time: 5m
    max_waiters: 7
    acquire_timeout: 2s
    connect_timeout: 700ms
    query_timeout: 250ms
    transaction_idle_timeout: 4s
    transaction_timeout: 6s
    max_returning_bytes: 2MiB
    max_transaction_statements: 8
    statement_cache_size: 16
    max_value_bytes: 3MiB
    migrations_table: history
    migrations_lease: 9s
    migrate_on_start: /srv/migrations
    options: {busy_timeout_ms: 50, foreign_keys: off}
)");
  ASSERT_TRUE(config.ok()) << config.status();
  const DatabaseConfig& main = config->databases.at("main");
  EXPECT_EQ(main.line, 3);
  EXPECT_EQ(main.driver.database, Path("app.db"));
  EXPECT_EQ(main.pool.max_open, 9);
  EXPECT_EQ(main.pool.max_idle, 3);
  EXPECT_EQ(main.pool.min_idle, 2);
  EXPECT_EQ(main.pool.max_lifetime, Milliseconds(3'600'000));
  EXPECT_EQ(main.pool.max_idle_time, Milliseconds(300'000));
  EXPECT_EQ(main.pool.max_waiters, 7);
  EXPECT_EQ(main.pool.acquire_timeout, Milliseconds(2'000));
  EXPECT_EQ(main.pool.connect_timeout, Milliseconds(700));
  EXPECT_EQ(main.limits.query_timeout, Milliseconds(250));
  EXPECT_EQ(main.limits.transaction_idle_timeout, Milliseconds(4'000));
  EXPECT_EQ(main.limits.transaction_timeout, Milliseconds(6'000));
  EXPECT_EQ(main.limits.max_returning_bytes, size_t{2} << 20);
  EXPECT_EQ(main.limits.max_transaction_statements, 8);
  EXPECT_EQ(main.driver.statement_cache_size, 16u);
  EXPECT_EQ(main.driver.max_value_bytes, size_t{3} << 20);
  EXPECT_EQ(main.migrations_table, "history");
  EXPECT_EQ(main.migrations_lease, Milliseconds(9'000));
  EXPECT_EQ(main.migrate_on_start, "/srv/migrations");
  const std::map<std::string, std::string> options = {{"busy_timeout_ms", "50"},
                                                      {"foreign_keys", "off"}};
  EXPECT_EQ(main.driver.options, options);
}

TEST_F(DatabasesTest, IdleFollowsOpen) {
  EXPECT_EQ(
      LoadText("databases: {main: {max_open_connections: 2}}")->databases.at("main").pool.max_idle,
      2);
}

TEST_F(DatabasesTest, ConnectionStringInsteadOfTheFile) {
  const auto config = LoadText("databases: {main: {connection_string: 'file:@/x.db?mode=rw'}}");
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->databases.at("main").driver.connection_string,
            "file:" + Path("x.db") + "?mode=rw");
  EXPECT_EQ(config->databases.at("main").driver.database, "");
}

TEST_F(DatabasesTest, TheDefaultIsTheOnlyOneOrMainOrTheOneSaid) {
  EXPECT_EQ(LoadText("databases: {a: {}}")->default_database, "a");
  EXPECT_EQ(LoadText("databases: {a: {}, main: {}}")->default_database, "main");
  EXPECT_EQ(LoadText("default_database: a\ndatabases: {a: {}, main: {}}")->default_database, "a");
  EXPECT_THAT(MistakesIn("log: {}\ndatabases: {a: {}, b: {}}"),
              ElementsAre("FILE:2: databases: has several databases and none named main; set "
                          "default_database to one of a, b"));
  EXPECT_THAT(
      MistakesIn("default_database: mian\ndatabases: {a: {}, main: {}}"),
      ElementsAre("FILE:1: default_database: unknown database 'mian'; did you mean 'main'?"));
}

TEST_F(DatabasesTest, OneFileIsOneDatabase) {
  std::filesystem::create_directory(Path("real"));
  std::filesystem::create_directory_symlink(Path("real"), Path("link"));
  for (const char* other :
       {"{database: '@/real/x.db'}", "{database: '@/real/../link/./x.db'}",
        "{connection_string: '@/link/x.db'}", "{connection_string: 'file:@/real/x.db?mode=ro'}",
        "{connection_string: 'file://@/real/x.db'}"}) {
    EXPECT_THAT(
        MistakesIn(std::string("databases:\n  main: {database: '@/real/x.db'}\n  other: ") + other),
        ElementsAre("FILE:3: databases.other: opens the same file as 'main'; give each its own, or "
                    "use one database for both"))
        << other;
  }
  EXPECT_TRUE(
      LoadText("databases: {main: {database: ':memory:'}, b: {database: ':memory:'}}").ok());
}

TEST_F(DatabasesTest, Credentials) {
  const std::string start = "databases:\n  main:\n    driver: cockroachdb\n";
  Write("good", "hunter2\n"), Write("two", "hunter2\nhunter3\n"), Write("empty", "\n");
  variables_["DB_PASSWORD"] = "hunter2";
  for (const char* line :
       {"    password: hunter2", "    password_file: '@/good'", "    password_env: DB_PASSWORD"}) {
    const auto config = LoadText(start + line);
    ASSERT_TRUE(config.ok()) << line << config.status();
    EXPECT_EQ(config->databases.at("main").driver.password.Get(), "hunter2") << line;
  }
  const struct {
    std::string lines;
    std::string mistake;
  } cases[] = {
      {"    password: hunter2\n    password_file: '@/good'",
       "FILE:5: databases.main.password_file: conflicts with another key for the password; keep "
       "one "
       "of password, password_file, password_credential and password_env"},
      {"    password_file: '@/good'\n    password_env: DB_PASSWORD",
       "FILE:5: databases.main.password_env: conflicts with another key for the password; keep one "
       "of password, password_file, password_credential and password_env"},
      {"    password_file: '@/none'",
       "FILE:4: databases.main.password_file: names a file that cannot be read: No such file or "
       "directory; name one that this user can read"},
      {"    password_file: '@/two'",
       "FILE:4: databases.main.password_file: names a file that does not have exactly one line; "
       "write only the password into it"},
      {"    password_file: '@/empty'",
       "FILE:4: databases.main.password_file: names a file that does not have exactly one line; "
       "write only the password into it"},
      {"    password_env: NOT_SET",
       "FILE:4: databases.main.password_env: names an environment variable that is not set; set "
       "it"},
      {"    connection_string: postgres://u:hunter2@h/d\n    host: h",
       "FILE:5: databases.main.host: conflicts with connection_string; keep one of the two"},
  };
  for (const auto& c : cases) {
    EXPECT_THAT(MistakesIn(start + c.lines), ElementsAre(c.mistake)) << c.lines;
  }
}

TEST_F(DatabasesTest, CockroachDbConnectionsDoNotGrowOld) {
  const std::string start = "databases:\n  main:\n    driver: ";
  const auto lifetime = [&](const std::string& lines) {
    const auto config = LoadText(start + lines);
    EXPECT_TRUE(config.ok()) << config.status();
    return config.ok() ? config->databases.at("main").pool.max_lifetime : Milliseconds(-1);
  };
  EXPECT_EQ(lifetime("cockroachdb"), Milliseconds(300'000));
  EXPECT_EQ(lifetime("cockroachdb\n    connection_max_lifetime: 1h"), Milliseconds(3'600'000));
  EXPECT_EQ(lifetime("postgres"), Milliseconds(0));
}

TEST_F(DatabasesTest, NoMessageShowsASecret) {
  const std::string start = "databases:\n  main:\n    ";
  for (const char* lines : {"password: [hunter2]",
                            "password: {hunter2: hunter2}",
                            "password: !secret hunter2",
                            "password: \"hunter2\\n\"",
                            "password: *hunter2",
                            "password: \"a\\hunter2\"",
                            "password: 'hunter2",
                            "password: hunter2: hunter2",
                            "password: @hunter2",
                            "password: %hunter2",
                            "password: `hunter2",
                            "password: &hunter2",
                            "password: |\n  hunter2",
                            "password: {hunter2",
                            "password: [hunter2",
                            "password: hunter2\n    password: hunter2",
                            "password_env: hunter2",
                            "driver: postgres\n    password_file: hunter2",
                            "driver: postgres\n    password_file: /hunter2/hunter2",
                            "connection_string: [hunter2]",
                            "driver: postgres://u:hunter2@h/d",
                            "connection_string: postgres://u:hunter2@h/d",
                            "ssl_mode: postgres://u:hunter2@h/d",
                            "passwort: hunter2",
                            "password: hunter2\n    password_env: hunter2"}) {
    const auto mistakes = MistakesIn(start + lines);
    ASSERT_FALSE(mistakes.empty()) << lines;
    EXPECT_THAT(mistakes, Not(Contains(HasSubstr("hunter")))) << lines;
  }
}

}  // namespace
}  // namespace penstock::server
