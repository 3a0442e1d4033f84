// Wrong files, and every message about them in full: form and databases.
#include <unistd.h>

#include <filesystem>
#include <string_view>
#include <tuple>

#include "gmock/gmock.h"
#include "tests/unit/config/fixture.h"

namespace penstock::server {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

class MistakesTest : public ConfigTest {};

TEST_F(MistakesTest, OfForm) {
  const std::tuple<const char*, const char*> table[] = {
      {"just words", "FILE:1: is a single value; write a map of keys and values"},
      {"- a\n- b\n", "FILE:1: is a list; write a map of keys and values"},
      {"servr: {}\n", "FILE:1: unknown key 'servr'; did you mean 'server'?"},
      {"\nxyzzy: 1\n",
       "FILE:2: unknown key 'xyzzy'; use one of data_dir, server, log, secret_keys, databases, "
       "default_database, identities, jwt"},
      {"log: {level: info}\nlog: {level: debug}\n",
       "FILE:2: duplicate key 'log' (first set on line 1); keep one of them"},
      {"log:\n  level: info\n  level: debug\n",
       "FILE:3: log: duplicate key 'level' (first set on line 2); keep one of them"},
      {"log:\n  [a, b]: 1\n", "FILE:2: log: has a key that is not a word; write 'key: value'"},
      {"log: [1]\n", "FILE:1: log: is a list; write a map of keys and values"},
      {"log:\n  level:\n",
       "FILE:2: log.level: has no value; write one, or remove the key for its default"},
      {"log:\n  level: {a: 1}\n", "FILE:2: log.level: is a map; write a single value"},
      {"log:\n  level: !!int 1\n",
       "FILE:2: log.level: has a YAML tag; remove the word that starts with '!'"},
      {"data_dir: \"a\\nb\"\n",
       "FILE:1: data_dir: has a line break or another control character; remove it"},
      {"---\nlog: {}\n---\nlog: {}\n",
       "FILE:4: starts a second document; put everything into one, without '---'"},
      {"log:\n  level: 'info\n",
       "FILE:3: is not valid YAML: illegal EOF in scalar; check indentation and quotes"},
      {"log:\n  level: \"info",
       "FILE:3: is not valid YAML: illegal EOF in scalar; check indentation and quotes"},
      {"log: \n\x01", "FILE:2: has a control character; remove it, or name a text file"},
      {"a: 1\nb: \xff\n", "FILE:2: is not valid UTF-8; save the file in that encoding"},
  };
  for (const auto& [yaml, expected] : table)
    EXPECT_THAT(MistakesIn(yaml), ElementsAre(expected)) << yaml;
}

TEST_F(MistakesTest, OfDatabases) {
  const std::tuple<const char*, const char*> table[] = {
      {"driver: sqllite",
       "driver: 'sqllite' is not one of sqlite, postgres, cockroachdb, pebble, rocksdb; did you "
       "mean 'sqlite'?"},
      {"{driver: pebble, host: db}",
       "host: is not supported by pebble; remove it, or choose another driver"},
      {"host: db", "host: is not supported by sqlite; remove it, or choose another driver"},
      {"database: ''",
       "database: no file is named; write a path or :memory:, or remove the key for the default "
       "file"},
      {"database: /",
       "database: the database cannot be opened: it is a folder; write the path of a file in it"},
      {"connection_string: postgres://u:p@h/d",
       "connection_string: the database is a URL; on sqlite write the path of a file, or choose "
       "another driver"},
      {"max_open_connections: 0", "max_open_connections: '0' is out of range; write 1 to 10000"},
      {"max_open_connections: 99999999999999",
       "max_open_connections: '99999999999999' is out of range; write 1 to 10000"},
      {"max_open_connections: many",
       "max_open_connections: 'many' is not a whole number; write one from 1 to 10000"},
      {"max_idle_connections: 6",
       "max_idle_connections: 6 exceeds max_open_connections, 5; lower it, or raise that"},
      {"min_idle_connections: 6",
       "min_idle_connections: 6 exceeds max_idle_connections, 5; lower it, or raise that"},
      {"connect_timeout: 0", "connect_timeout: '0' is out of range; write 1ms to 1h"},
      {"query_timeout: 10", "query_timeout: '10' has no unit; write 10s or 10ms"},
      {"acquire_timeout: 25h", "acquire_timeout: '25h' is out of range; write 0 to 24h"},
      {"max_returning_bytes: 1B",
       "max_returning_bytes: '1B' is not a size; write one like 4096 (bytes), 256KiB or 64MiB"},
      {"max_returning_bytes: 2GiB",
       "max_returning_bytes: '2GiB' is out of range; write 1KiB to 1GiB"},
      {"max_value_bytes: 65MiB",
       "max_value_bytes: exceeds server.max_message_bytes; lower it, or raise that"},
      {"migrations_table: a.b",
       "migrations_table: 'a.b' is not a valid table name; use at most 63 letters, digits and '_', "
       "and no digit first"},
      {"max_open: 3", "unknown key 'max_open'; did you mean 'max_open_connections'?"},
      {"options: [a]", "options: is a list; write a map of keys and values"},
      {"options: {synchronous: [a]}", "options.synchronous: is a list; write a single value"},
  };
  for (const auto& [setting, expected] : table) {
    const std::string yaml = "databases:\n  a:\n    " + std::string(setting) + "\n";
    // An unknown key is reported of its map.
    const std::string where = std::string("FILE:3: databases.a") +
                              (std::string_view(expected).starts_with("unknown key") ? ": " : ".");
    EXPECT_THAT(MistakesIn(yaml), ElementsAre(where + expected)) << yaml;
  }
}

TEST_F(MistakesTest, OneKeyMayHaveSeveral) {
  EXPECT_THAT(MistakesIn("databases: {a: {ssl_mode: on}}"),
              ElementsAre("FILE:1: databases.a.ssl_mode: 'on' is not one of disable, allow, "
                          "prefer, require, verify-ca, verify-full; use one of them",
                          "FILE:1: databases.a.ssl_mode: is not supported by sqlite; remove it, or "
                          "choose another driver"));
}

TEST_F(MistakesTest, DatabasesHaveNamesAndTheirDefaultFilesToo) {
  EXPECT_THAT(MistakesIn("databases:\n  'a b': {}\n"),
              ElementsAre("FILE:2: databases.a b: is not a valid database name; use at most 64 "
                          "letters, digits, '_' and '-'"));
  EXPECT_THAT(MistakesIn("databases:\n  main: {database: '@/data/b.db'}\n  b: {}\n"),
              ElementsAre("FILE:2: databases.main: opens the same file as 'b'; give each its own, "
                          "or use one database for both"));
}

TEST_F(MistakesTest, AConnectionStringContradictsItsPieces) {
  const std::string contradicts = ": conflicts with connection_string; keep one of the two";
  EXPECT_THAT(MistakesIn("databases:\n"
                         "  a:\n"
                         "    driver: postgres\n"
                         "    connection_string: postgres://u:hunter2@h/d\n"
                         "    host: h\n"
                         "    port: 5432\n"
                         "    username: u\n"
                         "    password: hunter3\n"
                         "    database: d\n"
                         "    ssl_mode: require\n"),
              ElementsAre("FILE:5: databases.a.host" + contradicts,
                          "FILE:6: databases.a.port" + contradicts,
                          "FILE:7: databases.a.username" + contradicts,
                          // A password beside it is what keeps it out of the string.
                          "FILE:9: databases.a.database" + contradicts,
                          "FILE:10: databases.a.ssl_mode" + contradicts));
}

TEST_F(MistakesTest, AllAreReportedAtOnceInTheOrderOfTheFile) {
  command_line_.log_level = "loud";
  EXPECT_THAT(
      MistakesIn("default_database: b\n"
                 "databases:\n"
                 "  a:\n"
                 "    query_timeout: 5\n"
                 "    max_waiters: -1\n"
                 "log:\n"
                 "  formt: json\n"),
      ElementsAre(
          StartsWith("--log-level: 'loud' is not one of trace, debug, info, warn, error, off; "),
          "FILE:1: default_database: unknown database 'b'; did you mean 'a'?",
          "FILE:4: databases.a.query_timeout: '5' has no unit; write 5s or 5ms",
          "FILE:5: databases.a.max_waiters: '-1' is out of range; write 0 to 1000000",
          "FILE:7: log: unknown key 'formt'; did you mean 'format'?"));
}

TEST_F(MistakesTest, OfTheFileItself) {
  const auto wrong = [this](const std::string& name) {
    command_line_.config_file = Path(name);
    return Mistakes(Load());
  };
  const std::string advice = "; name a configuration file that this user can read";
  EXPECT_THAT(wrong("none"),
              ElementsAre("FILE: cannot be read: No such file or directory" + advice));
  EXPECT_THAT(wrong(""), ElementsAre("FILE: cannot be read: Is a directory" + advice));
  Write("large", std::string((1 << 20) + 1, '#'));
  EXPECT_THAT(wrong("large"),
              ElementsAre("FILE: cannot be read: it has more than 1048576 bytes" + advice));
}

// A user id without rights, since root may read everything.
TEST_F(MistakesTest, AFileThatThisUserMayNotRead) {
  const std::string path = Write("secret", "log: {}");
  std::filesystem::permissions(path, std::filesystem::perms(0));
  command_line_.config_file = path;
  const uid_t before = geteuid();
  if (before == 0) {
    std::filesystem::permissions(folder_, std::filesystem::perms(0755));
    ASSERT_EQ(seteuid(65534), 0);
  }
  const auto mistakes = Mistakes(Load());
  ASSERT_EQ(seteuid(before), 0);
  EXPECT_THAT(mistakes, ElementsAre("FILE: cannot be read: Permission denied; name a configuration "
                                    "file that this user can read"));
}

TEST_F(MistakesTest, NestingWithoutEndIsRefused) {
  const std::string open(100'000, '[');
  const std::string close(100'000, ']');
  for (const std::string& yaml : {open, open + close, "log: {level: " + open + close + "}"}) {
    EXPECT_THAT(MistakesIn(yaml),
                ElementsAre(EndsWith("is not valid YAML: bad file; check indentation and quotes")));
  }
}

TEST_F(MistakesTest, AnAnchorThatHoldsItselfIsNotFollowed) {
  EXPECT_THAT(MistakesIn("databases: &a\n  a: *a\n"), Not(IsEmpty()));
}

}  // namespace
}  // namespace penstock::server
