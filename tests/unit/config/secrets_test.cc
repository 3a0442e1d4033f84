// Where the configuration takes secrets from, and what it says of them.
#include <sys/stat.h>

#include <filesystem>

#include "gmock/gmock.h"
#include "sealing/sealed_box.h"
#include "tests/unit/config/fixture.h"

namespace penstock::server {
namespace {

using sealing::SecretKey;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr char kStart[] = "databases:\n  main:\n    driver: postgres\n";

class SecretsTest : public ConfigTest {
 protected:
  // A key, whose file has this name.
  SecretKey Key(const std::string& name) const {
    const SecretKey key = SecretKey::Generate();
    Write(name, key.Text() + "\n");
    return key;
  }

  void Mode(const std::string& name, int mode) const {
    std::filesystem::permissions(Path(name), std::filesystem::perms(mode));
  }

  // What is told of passwords that are read again: "main: OK".
  PasswordNews News() {
    return [this](const std::string& database, const absl::Status& status) {
      news_.push_back(database + ": " + (status.ok() ? "OK" : std::string(status.message())));
    };
  }

  driver::Password Password(const std::string& lines) {
    command_line_.config_file = Write("penstock.yaml", kStart + lines);
    const auto environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto variable = variables_.find(name);
      if (variable == variables_.end()) return std::nullopt;
      return variable->second;
    };
    const auto config = LoadConfig(command_line_, environment, {}, News());
    EXPECT_TRUE(config.ok()) << config.status();
    return config.ok() ? config->databases.at("main").driver.password : driver::Password();
  }

  std::vector<std::string> news_;
};

TEST_F(SecretsTest, APasswordFileIsReadAgainForEachAttempt) {
  Write("file", "first\n");
  const driver::Password password = Password("    password_file: " + Path("file"));
  EXPECT_EQ(password.Get(), "first");
  EXPECT_THAT(news_, IsEmpty());
  Write("file", "second\n");
  EXPECT_EQ(password.Last(), "first");
  EXPECT_EQ(password.Get(), "second");
  EXPECT_EQ(password.Get(), "second");
  EXPECT_THAT(news_, ElementsAre("main: OK"));
}

TEST_F(SecretsTest, AFileThatIsNoGoodAnyMoreLeavesTheLastPassword) {
  Write("file", "first\n");
  const driver::Password password = Password("    password_file: " + Path("file"));
  const auto expect = [&](const std::string& what) {
    news_.clear();
    EXPECT_EQ(password.Get(), "first");
    ASSERT_EQ(news_.size(), 1U) << what;
    EXPECT_THAT(news_[0], HasSubstr("main: " + Path("penstock.yaml")));
    EXPECT_THAT(news_[0], HasSubstr(":4: databases.main.password_file: names a file that " + what));
    EXPECT_THAT(news_[0], Not(HasSubstr("zebra")));
  };
  Write("file", "");
  expect("does not have exactly one line");
  Write("file", "zebra\nzebra\n");
  expect("does not have exactly one line");
  Write("file", "zebra\n");
  Mode("file", 0644);
  expect("everybody can read; run chmod o-r on it");
  std::filesystem::remove(Path("file"));
  expect("cannot be read: No such file or directory");
  Write("file", "second\n");
  EXPECT_EQ(password.Get(), "second");
}

// It would wait for somebody who writes into it.
TEST_F(SecretsTest, APipeIsReadOnce) {
  Write("file", "first\n");
  const driver::Password password = Password("    password_file: " + Path("file"));
  std::filesystem::remove(Path("file"));
  ASSERT_EQ(mkfifo(Path("file").c_str(), 0600), 0);
  EXPECT_EQ(password.Get(), "first");
  EXPECT_THAT(news_, IsEmpty());
}

TEST_F(SecretsTest, ACredentialOfSystemd) {
  Write("db", "first\n");
  Mode("db", 0440);
  variables_["CREDENTIALS_DIRECTORY"] = folder_;
  const driver::Password password = Password("    password_credential: db");
  EXPECT_EQ(password.Get(), "first");
  std::filesystem::remove(Path("db"));
  Write("db", "second");
  EXPECT_EQ(password.Get(), "second");
}

TEST_F(SecretsTest, WrongCredentials) {
  const std::string start = kStart;
  variables_["CREDENTIALS_DIRECTORY"] = folder_;
  for (const char* name : {"/hunter2", "../hunter2", "..", "."}) {
    EXPECT_THAT(MistakesIn(start + "    password_credential: " + name),
                ElementsAre("FILE:4: databases.main.password_credential: is not the name of a "
                            "credential; write the one that LoadCredential= gives it, without a "
                            "path"));
  }
  EXPECT_THAT(MistakesIn(start + "    password_credential: hunter2"),
              ElementsAre("FILE:4: databases.main.password_credential: names a credential that "
                          "cannot be read: No such file or directory; name one that this user can "
                          "read"));
  variables_.clear();
  EXPECT_THAT(MistakesIn(start + "    password_credential: hunter2"),
              ElementsAre("FILE:4: databases.main.password_credential: names a credential, and "
                          "CREDENTIALS_DIRECTORY is not set; let systemd start the daemon, with "
                          "LoadCredential= in its unit"));
}

TEST_F(SecretsTest, SealedValuesAreOpened) {
  const SecretKey old_key = Key("old");
  const SecretKey new_key = Key("new");
  Mode("new", 0440);  // as an access list of systemd's shows
  variables_["CREDENTIALS_DIRECTORY"] = folder_;
  const auto config =
      LoadText("secret_keys: ['credential:new', '@/old']\n" + std::string(kStart) +
               "    connection_string: " + old_key.public_key().Seal("host=h user=u") +
               "\n    password: " + new_key.public_key().Seal("hunter2") + "\n");
  ASSERT_TRUE(config.ok()) << config.status();
  const driver::Config& main = config->databases.at("main").driver;
  EXPECT_EQ(main.password.Get(), "hunter2");
  EXPECT_EQ(main.connection_string, "host=h user=u");
  EXPECT_EQ(config->notes, "");
}

TEST_F(SecretsTest, ASealedValueMayBeInAFileThatEverybodyReads) {
  const SecretKey key = Key("key");
  const std::string yaml = "secret_keys: " + Path("key") + "\n" + kStart +
                           "    password: " + key.public_key().Seal("hunter2") + "\n";
  command_line_.config_file = Write("penstock.yaml", yaml);
  Mode("penstock.yaml", 0644);
  EXPECT_TRUE(Load().ok()) << Load().status();
}

TEST_F(SecretsTest, WhatCannotBeOpened) {
  const SecretKey key = Key("key");
  const std::string sealed = key.public_key().Seal("hunter2");
  const std::string start = std::string(kStart) + "    password: ";
  const std::string keys = "secret_keys: '@/key'\n";
  const std::string where = "FILE:5: databases.main.password: ";
  EXPECT_THAT(MistakesIn(start + sealed),
              ElementsAre("FILE:4: databases.main.password: is sealed, and there is no key; name "
                          "its key in secret_keys"));
  EXPECT_THAT(MistakesIn(keys + start + SecretKey::Generate().public_key().Seal("hunter2")),
              ElementsAre(where + "is sealed for a key that is not in secret_keys; name that key "
                                  "there, or seal the secret again"));
  EXPECT_THAT(MistakesIn(keys + start + "sealed:hunter2"),
              ElementsAre(where + "is no sealed value; write what penstock secret seal prints, or "
                                  "a secret that does not begin with sealed:"));
  EXPECT_THAT(MistakesIn(keys + start + key.public_key().Seal("two\nlines")),
              ElementsAre(where + "seals nothing, or a line break or another control character; "
                                  "seal the secret without it"));
}

TEST_F(SecretsTest, WrongKeys) {
  const SecretKey key = Key("key");
  Key("open"), Write("hunter", "hunter2\n");
  Mode("open", 0640);
  const auto mistakes = [&](const std::string& keys) {
    return MistakesIn("secret_keys: " + keys + "\n" + kStart +
                      "    password: " + key.public_key().Seal("hunter2") + "\n");
  };
  const std::string where = "FILE:1: secret_keys: ";
  // The value that the key would have opened is not told as well.
  EXPECT_THAT(mistakes("'@/none'"),
              ElementsAre(where + "names a file that cannot be read: No such file or directory; "
                                  "name one that this user can read"));
  EXPECT_THAT(
      mistakes("'@/open'"),
      ElementsAre(where + "names a file that others than its owner can use; run chmod 600 on it"));
  EXPECT_THAT(mistakes("'@/hunter'"),
              ElementsAre(where + "names a file that holds no key; name one that penstock secret "
                                  "keygen has made"));
  EXPECT_THAT(mistakes("['@/key', '@/key', '@/key']"),
              ElementsAre(where + "has 3 keys; keep the new one and the old one"));
}

TEST_F(SecretsTest, SecretsInClearAreNoted) {
  Write("file", "hunter2\n");
  variables_["PASSWORD"] = "hunter2";
  command_line_.config_file =
      Write("penstock.yaml",
            "databases:\n"
            "  a: {driver: postgres, password: hunter2}\n"
            "  b: {driver: postgres, connection_string: 'postgres://u:hunter2@h/d'}\n"
            "  c: {driver: postgres, connection_string: 'host=h password=hunter2'}\n"
            "  d: {driver: postgres, connection_string: 'postgres://u@h/d'}\n"
            "  e: {driver: postgres, password_file: " +
                Path("file") +
                "}\n"
                "  f: {driver: postgres, password_env: PASSWORD}\n"
                "default_database: a\n");
  const auto config = Load();
  ASSERT_TRUE(config.ok()) << config.status();
  std::string expected;
  for (const char* place : {"2: databases.a.password", "3: databases.b.connection_string",
                            "4: databases.c.connection_string"}) {
    expected += (expected.empty() ? "" : "\n") + Path("penstock.yaml") + ":" + place +
                ": is a secret in clear; seal it with penstock secret seal, or keep the password "
                "in a password_file";
  }
  EXPECT_EQ(config->notes, expected);
}

TEST_F(SecretsTest, TheTextsOfTheFileAreKeptAsDigests) {
  const auto config = LoadText(std::string(kStart) + "    password: hunter2\n    host: h\n");
  const auto other = LoadText(std::string(kStart) + "    password: hunter3\n    host: h\n");
  ASSERT_TRUE(config.ok() && other.ok());
  for (const auto& [key, digest] : config->said) {
    EXPECT_EQ(digest.size(), 32U) << key;
    EXPECT_THAT(digest, Not(HasSubstr("hunter"))) << key;
  }
  EXPECT_EQ(config->said.at("databases.main.host"), other->said.at("databases.main.host"));
  EXPECT_NE(config->said.at("databases.main.password"), other->said.at("databases.main.password"));
}

}  // namespace
}  // namespace penstock::server
