#include "client/cli/options.h"

#include <stdlib.h>

#include <initializer_list>
#include <optional>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace penstock::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

class OptionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    unsetenv("PENSTOCK_TARGET");
    unsetenv("PENSTOCK_DATABASE");
    unsetenv("PENSTOCK_TOKEN");
    unsetenv("PENSTOCK_TOKEN_FILE");
  }

  static Options Parse(std::initializer_list<std::string> arguments) {
    absl::StatusOr<ParsedOptions> parsed = ParseOptions(arguments);
    if (!parsed.ok()) {
      ADD_FAILURE() << parsed.status();
      return {};
    }
    EXPECT_EQ(parsed->text, "");
    return parsed->options;
  }

  static std::string Refusal(std::initializer_list<std::string> arguments) {
    absl::StatusOr<ParsedOptions> parsed = ParseOptions(arguments);
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(parsed.status().message());
  }

  static std::string Text(std::initializer_list<std::string> arguments) {
    absl::StatusOr<ParsedOptions> parsed = ParseOptions(arguments);
    EXPECT_TRUE(parsed.ok()) << parsed.status();
    return parsed.ok() ? parsed->text : "";
  }
};

TEST_F(OptionsTest, Defaults) {
  const Options options = Parse({"ping"});
  EXPECT_EQ(options.command, Command::kPing);
  EXPECT_EQ(options.target, "127.0.0.1:7420");
  EXPECT_EQ(options.database, "");
  EXPECT_EQ(options.format, OutputFormat::kTable);
  EXPECT_EQ(options.timeout, absl::InfiniteDuration());
}

TEST_F(OptionsTest, GlobalOptionsStandAnywhere) {
  const Options options = Parse({"--target", "unix:/run/p.sock", "query", "select $1", "-d", "main",
                                 "7", "--format=json", "--timeout", "1m30s"});
  EXPECT_EQ(options.command, Command::kQuery);
  EXPECT_EQ(options.target, "unix:/run/p.sock");
  EXPECT_EQ(options.database, "main");
  EXPECT_EQ(options.format, OutputFormat::kJson);
  EXPECT_EQ(options.timeout, absl::Seconds(90));
  EXPECT_EQ(options.sql, "select $1");
  EXPECT_THAT(options.args, ElementsAre("7"));
}

TEST_F(OptionsTest, TheEnvironmentStandsInAndTheFlagWins) {
  setenv("PENSTOCK_TARGET", "[::1]:7", 1);
  setenv("PENSTOCK_DATABASE", "other", 1);
  EXPECT_EQ(Parse({"ping"}).target, "[::1]:7");
  EXPECT_EQ(Parse({"ping"}).database, "other");
  EXPECT_EQ(Parse({"ping", "--target", "h:1"}).target, "h:1");
  EXPECT_EQ(Parse({"ping", "-d", "main"}).database, "main");
}

// CLI11 would take some of these for lists, ends, commands or flags.
TEST_F(OptionsTest, WordsAreKeptToTheByte) {
  const std::vector<std::string> words = {
      "[1,2]", "[]",   "[",       "[[1],[2]]", "[\"a\"]", "{}",    "",    "ping",  "kv",
      "a,b",   "%%",   "++",      "json:[1]",  "-1.5",    "-5",    "-",   "-.5",   "- x",
      "-- x",  "---",  "'q'",     "\"q\"",     " ",       "\n",    "a=b", "@file", "/etc",
      "\xff",  "true", "text:-x", "#x",        "\\",      "file:x"};
  std::vector<std::string> all = {"exec", "[insert]"};
  all.insert(all.end(), words.begin(), words.end());
  const absl::StatusOr<ParsedOptions> parsed = ParseOptions(all);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->options.command, Command::kExec);
  EXPECT_EQ(parsed->options.sql, "[insert]");
  EXPECT_EQ(parsed->options.args, words);
  for (const std::string& word : words) {
    EXPECT_THAT(Parse({"query", "x", word}).args, ElementsAre(word));
    EXPECT_THAT(Parse({"kv", "put", word, word}).args, ElementsAre("put", word, word));
    EXPECT_THAT(Parse({"kv", "put", "--", word, word}).args, ElementsAre("put", word, word));
  }
  EXPECT_EQ(Parse({"kv", "-k", "[a]", "get", "b"}).keyspace, "[a]");
  EXPECT_EQ(Parse({"kv", "get", "b", "-k[a,b]", "-d", "kv"}).keyspace, "[a,b]");
}

TEST_F(OptionsTest, AnOptionDoesNotTakeTheNextWordForItsEmptyValue) {
  EXPECT_THAT(Refusal({"--database=", "query", "x"}), HasSubstr("--database= has no value"));
  EXPECT_EQ(Parse({"--database", "", "query", "x"}).sql, "x");
  EXPECT_EQ(Parse({"query", "--database=a=", "x"}).database, "a=");
}

TEST_F(OptionsTest, NamesAreUtf8) {
  EXPECT_THAT(Refusal({"ping", "-d", "\xff"}), HasSubstr("UTF-8"));
  EXPECT_THAT(Refusal({"kv", "get", "a", "-k", "\xff"}), HasSubstr("UTF-8"));
}

TEST_F(OptionsTest, NullOfCsv) {
  EXPECT_EQ(Parse({"ping"}).csv_null, std::nullopt);
  EXPECT_EQ(Parse({"query", "x", "--format", "csv", "--null", "NULL"}).csv_null, "NULL");
  EXPECT_EQ(Parse({"query", "x", "--format", "csv", "--null", ""}).csv_null, "");
  EXPECT_THAT(Refusal({"query", "x", "--null", "NULL"}), HasSubstr("--format csv"));
  for (const char* wrong : {"a,b", "\"", "\r", "\n", "\\x00"}) {
    EXPECT_THAT(Refusal({"query", "x", "--format", "csv", "--null", wrong}), HasSubstr("--null"));
  }
}

TEST_F(OptionsTest, ADoubleDashEndsTheOptions) {
  const Options options = Parse({"query", "--format", "csv", "--", "-- note\nselect $1", "--x"});
  EXPECT_EQ(options.sql, "-- note\nselect $1");
  EXPECT_EQ(options.format, OutputFormat::kCsv);
  EXPECT_THAT(options.args, ElementsAre("--x"));

  const Options later = Parse({"exec", "insert", "5", "--", "--x", "-d", "[1]", "--"});
  EXPECT_EQ(later.sql, "insert");
  EXPECT_EQ(later.database, "");
  EXPECT_THAT(later.args, ElementsAre("5", "--x", "-d", "[1]", "--"));
  EXPECT_THAT(Refusal({"ping", "--", "x"}), HasSubstr("unexpected argument \"x\""));
  EXPECT_THAT(Refusal({"query", "--"}), HasSubstr("SQL"));
}

TEST_F(OptionsTest, StandardInputIsADash) { EXPECT_EQ(Parse({"query", "-"}).sql, "-"); }

TEST_F(OptionsTest, Tls) {
  const Options options =
      Parse({"--tls-ca", "ca.pem", "--tls-cert", "c.pem", "--tls-key", "k.pem", "databases"});
  EXPECT_EQ(options.command, Command::kDatabases);
  EXPECT_EQ(options.tls_ca, "ca.pem");
  EXPECT_EQ(options.tls_cert, "c.pem");
  EXPECT_EQ(options.tls_key, "k.pem");
  EXPECT_THAT(Refusal({"ping", "--tls-cert", "c.pem"}), HasSubstr("--tls-key"));
}

TEST_F(OptionsTest, ATokenComesFromAFileOrTheEnvironment) {
  EXPECT_EQ(Parse({"ping"}).token_file, "");
  EXPECT_EQ(Parse({"ping"}).token, "");
  setenv("PENSTOCK_TOKEN", "pst_a", 1);
  EXPECT_EQ(Parse({"ping"}).token, "pst_a");
  // A file comes first, whoever names it.
  EXPECT_EQ(Parse({"ping", "--token-file", "f"}).token_file, "f");
  EXPECT_EQ(Parse({"ping", "--token-file", "f"}).token, "");
  setenv("PENSTOCK_TOKEN_FILE", "g", 1);
  EXPECT_EQ(Parse({"ping"}).token_file, "g");
  EXPECT_EQ(Parse({"ping"}).token, "");
  EXPECT_EQ(Parse({"--token-file", "f", "ping"}).token_file, "f");
}

TEST_F(OptionsTest, ATokenOnTheCommandLineIsRefusedAndNotQuoted) {
  for (const std::vector<std::string>& arguments : {
           std::vector<std::string>{"ping", "--token", "secret"},
           std::vector<std::string>{"--token=secret", "ping"},
           std::vector<std::string>{"token", "check", "pst_secret"},
           std::vector<std::string>{"pst_secret"},
       }) {
    const std::string message(ParseOptions(arguments).status().message());
    EXPECT_THAT(message, HasSubstr("a token does not belong on a command line"));
    EXPECT_THAT(message, Not(HasSubstr("secret")));
  }
}

TEST_F(OptionsTest, Token) {
  Options options = Parse({"token", "new", "--id", "app-2027"});
  EXPECT_EQ(options.command, Command::kNewToken);
  EXPECT_EQ(options.new_token.id, "app-2027");
  EXPECT_EQ(options.new_token.expires, "90");
  options = Parse({"token", "new", "--expires", "7", "--id", "a_b"});
  EXPECT_EQ(options.new_token.id, "a_b");
  EXPECT_EQ(options.new_token.expires, "7");
  EXPECT_EQ(Parse({"token", "check"}).command, Command::kCheckToken);
  EXPECT_THAT(Refusal({"token"}), HasSubstr("subcommand"));
  EXPECT_THAT(Refusal({"token", "new"}), HasSubstr("--id"));
  for (const std::string& wrong :
       {std::string("a b"), std::string("a.b"), std::string("ä"), std::string(65, 'a')}) {
    EXPECT_THAT(Refusal({"token", "new", "--id", wrong}), HasSubstr("is not an id")) << wrong;
  }
  EXPECT_THAT(Refusal({"token", "new", "--id", "a", "--expires", "soon"}),
              HasSubstr("\"soon\" is not when a token expires"));
  EXPECT_THAT(Refusal({"token", "check", "extra"}), HasSubstr("extra"));
}

TEST_F(OptionsTest, WhatMakesNoSenseIsRefused) {
  EXPECT_THAT(Refusal({}), HasSubstr("a command is missing"));
  EXPECT_THAT(Refusal({"quary", "select 1"}), HasSubstr("quary"));
  EXPECT_THAT(Refusal({"query"}), HasSubstr("SQL"));
  EXPECT_THAT(Refusal({"ping", "--fromat", "csv"}), HasSubstr("--fromat"));
  EXPECT_THAT(Refusal({"ping", "--format", "xml"}), HasSubstr("--format"));
  EXPECT_THAT(Refusal({"ping", "extra"}), HasSubstr("extra"));
  EXPECT_THAT(Refusal({"ping", "--target"}), HasSubstr("--target"));
  EXPECT_THAT(Refusal({"ping", "--timeout", "10"}), HasSubstr("invalid time limit \"10\""));
}

TEST_F(OptionsTest, Migrate) {
  using Action = MigrateOptions::Action;
  Options options = Parse({"migrate", "up", "m", "--database", "other", "--lock-timeout", "5s"});
  EXPECT_EQ(options.command, Command::kMigrate);
  EXPECT_EQ(options.database, "other");
  EXPECT_EQ(options.migrate.folder, "m");
  EXPECT_EQ(options.migrate.options.action, Action::kUp);
  EXPECT_EQ(options.migrate.options.steps, 0);
  EXPECT_EQ(options.migrate.options.lock_timeout, absl::Seconds(5));
  EXPECT_FALSE(options.migrate.options.dry_run);
  EXPECT_TRUE(Parse({"migrate", "dry-run", "m"}).migrate.options.dry_run);
  EXPECT_EQ(Parse({"migrate", "down", "m"}).migrate.options.steps, 1);
  EXPECT_EQ(Parse({"migrate", "down", "m", "--steps", "2"}).migrate.options.steps, 2);
  EXPECT_EQ(Parse({"migrate", "down", "m", "--all"}).migrate.options.steps, 0);
  options = Parse({"migrate", "to", "m", "20240101120000"});
  EXPECT_EQ(options.migrate.options.action, Action::kTo);
  EXPECT_EQ(options.migrate.options.version, 20240101120000);
  EXPECT_EQ(Parse({"migrate", "status", "m"}).command, Command::kMigrationStatus);
  options = Parse({"migrate", "repair", "m", "--resume", "7", "--statement", "3"});
  EXPECT_EQ(options.migrate.options.action, Action::kResume);
  EXPECT_EQ(options.migrate.options.version, 7);
  EXPECT_EQ(options.migrate.options.statement, 3);
  options =
      Parse({"migrate", "repair", "m", "--applied", "7,9", "--applied", "18446744073709551615"});
  EXPECT_EQ(options.migrate.options.action, Action::kMarkApplied);
  EXPECT_EQ(options.migrate.options.version, 7);
  EXPECT_THAT(options.migrate.options.more_versions, ElementsAre(9, UINT64_MAX));
  EXPECT_EQ(Parse({"migrate", "repair", "--not-applied", "7", "m"}).migrate.folder, "m");
  EXPECT_EQ(Parse({"migrate", "adopt", "m"}).migrate.options.action, Action::kAdopt);
  EXPECT_FALSE(Parse({"migrate", "status", "m"}).migrate.all);
  EXPECT_TRUE(Parse({"migrate", "status", "m", "--all"}).migrate.all);
  options = Parse({"migrate", "new", "m", "add_users"});
  EXPECT_EQ(options.command, Command::kNewMigration);
  EXPECT_EQ(options.migrate.name, "add_users");
}

// Versions are written as file names have them.
TEST_F(OptionsTest, NumbersAreDecimal) {
  EXPECT_EQ(Parse({"migrate", "to", "m", "0012"}).migrate.options.version, 12);
  EXPECT_EQ(Parse({"migrate", "baseline", "m", "010"}).migrate.options.version, 10);
  EXPECT_EQ(Parse({"migrate", "repair", "m", "--applied", "0009"}).migrate.options.version, 9);
  EXPECT_EQ(Parse({"migrate", "up", "m", "--steps", "08"}).migrate.options.steps, 8);
  EXPECT_EQ(Parse({"kv", "scan", "--limit=010"}).limit, 10);
  for (const char* wrong : {"0x10", "1e3", "1.0", "+1", "-1", "", " 1", "0b1", "1_000",
                            "18446744073709551616", "[1]", "x"}) {
    EXPECT_THAT(Refusal({"migrate", "to", "m", wrong}), HasSubstr("decimal digits")) << wrong;
    EXPECT_THAT(Refusal({"kv", "scan", "--limit", wrong}), HasSubstr("decimal digits")) << wrong;
  }
  EXPECT_THAT(Refusal({"migrate", "up", "m", "--steps", "0"}), HasSubstr("at least 1"));
}

TEST_F(OptionsTest, MigrateThatMakesNoSenseIsRefused) {
  EXPECT_THAT(Refusal({"migrate", "up"}), HasSubstr("FOLDER"));
  EXPECT_THAT(Refusal({"migrate", "to", "m"}), HasSubstr("VERSION"));
  EXPECT_THAT(Refusal({"migrate", "to", "m", "-1"}), HasSubstr("-1"));
  EXPECT_THAT(Refusal({"migrate", "repair", "m"}), HasSubstr("--not-applied"));
  EXPECT_THAT(Refusal({"migrate", "repair", "m", "--applied", "1", "--resume", "1"}),
              HasSubstr("--resume"));
  EXPECT_THAT(Refusal({"migrate", "down", "m", "--all", "--steps", "1"}), HasSubstr("--all"));
  EXPECT_THAT(Refusal({"migrate", "new", "m", "a/b"}), HasSubstr("slashes"));
}

TEST_F(OptionsTest, HelpDocumentsArgumentsFormatsAndExitCodes) {
  const std::string help = Text({"--help"});
  for (const char* word :
       {"query", "exec", "ping", "databases", "--target", "PENSTOCK_TARGET", "PENSTOCK_DATABASE",
        "decimal:", "blob:", "null:", "RFC 4180", "Exit codes", "--tls-ca", "--token-file",
        "PENSTOCK_TOKEN_FILE", "PENSTOCK_TOKEN"}) {
    EXPECT_THAT(help, HasSubstr(word));
  }
  EXPECT_THAT(Text({"query", "--help"}), HasSubstr("Usage: penstock query "));
  EXPECT_THAT(Text({"--version"}), HasSubstr("penstock "));
}

TEST(Timeout, NeedsAUnitAndAPositiveValue) {
  EXPECT_EQ(*ParseTimeout("500ms"), absl::Milliseconds(500));
  EXPECT_EQ(*ParseTimeout("10s"), absl::Seconds(10));
  EXPECT_EQ(*ParseTimeout("1.5h"), absl::Minutes(90));
  for (const char* wrong : {"", "10", "0", "0s", "-5s", "inf", "ten", "10 s", "5d"}) {
    EXPECT_FALSE(ParseTimeout(wrong).ok()) << wrong;
  }
}

TEST_F(OptionsTest, Settings) {
  const Options options = Parse({"query", "--setting", "app.user=a=b", "select 1",
                                 "--setting=app.tenant=[1,2]", "x", "--setting", "app.none="});
  EXPECT_THAT(options.settings, ElementsAre(Pair("app.user", "a=b"), Pair("app.tenant", "[1,2]"),
                                            Pair("app.none", "")));
  EXPECT_THAT(options.args, ElementsAre("x"));
  for (const char* wrong : {"app.user", "=ada"}) {
    EXPECT_THAT(Refusal({"exec", "--setting", wrong, "select 1"}), HasSubstr("write NAME=VALUE"));
  }
  EXPECT_NE(Refusal({"kv", "--setting", "app.user=ada", "get", "k"}), "");
}

}  // namespace
}  // namespace penstock::cli
