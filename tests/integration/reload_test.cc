// SIGHUP with a PostgreSQL whose role's password is another one now.
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/eventually.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wire.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// A role `app` whose password the server asks for, a database `app` of it whose password
// is in a file, and `admin`, whose password nobody asks for.
class ReloadTest : public ::testing::Test {
 protected:
  ReloadTest() {
    Write("hba", "local all postgres trust\nlocal all all scram-sha-256\n");
    server_.Stop(SIGINT);
    server_.Start({"hba_file=" + server_.PlaceFile(file("hba"), "hba")});
    database_ = server_.CreateDatabase();
    Password("first-zebra");
    Configure("");
    daemon_ = std::make_unique<Process>(
        std::vector<std::string>{BuiltProgram("penstockd"), "--config", file("c.yaml")},
        folder_.path());
    EXPECT_TRUE(daemon_->WaitForOutput("penstockd ready")) << daemon_->output();
    wire_ = std::make_unique<Wire>("unix:" + file("s.sock"));
    Admin("CREATE ROLE app LOGIN PASSWORD 'first-zebra'");
    Admin("CREATE ROLE other LOGIN PASSWORD 'first-zebra'");
  }

  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(file(name)) << text;
  }

  void Password(const std::string& password) const {
    Write("password", password + "\n");
    std::filesystem::permissions(file("password"), std::filesystem::perms(0600));
  }

  // `more`: further keys of the database `app`, each after a comma.
  void Configure(const std::string& more, const std::string& user = "app") const {
    Write("c.yaml",
          fmt::format("data_dir: {0}/data\n"
                      "server: {{listen: ['unix:{0}/s.sock'], http_listen: ''}}\n"
                      "databases:\n"
                      "  admin: {{driver: postgres, connection_string: '{1}'}}\n"
                      "  app: {{driver: postgres, host: {2}, username: {3}, database: {4},\n"
                      "        password_file: {0}/password{5}}}\n"
                      "default_database: admin\n",
                      folder_.path(), server_.connection_string(database_), server_.socket_folder(),
                      user, database_, more));
  }

  void Admin(const std::string& sql) {
    const Outcome outcome = wire_->Exec(sql);
    ASSERT_TRUE(outcome.status.ok()) << outcome.status.error_message();
  }

  // The server's process of whichever connection of `app` it was.
  Outcome Backend() {
    v1::QueryRequest request;
    request.set_database("app");
    request.set_sql("SELECT pg_backend_pid()");
    return wire_->Query(request);
  }

  // Closes every connection of `app`'s, so that the next is a new one.
  void CloseAll() {
    Admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'");
    Eventually([&] {
      return wire_->Query("SELECT count(*) FROM pg_stat_activity WHERE usename = 'app'").text() ==
             "0";
    });
  }

  void Hangup(const std::string& answer) {
    daemon_->Signal(SIGHUP);
    ASSERT_TRUE(daemon_->WaitForOutput(answer)) << daemon_->output();
  }

  const TempDir folder_;
  PostgresCluster server_;
  std::string database_;
  std::unique_ptr<Process> daemon_;
  std::unique_ptr<Wire> wire_;
};

TEST_F(ReloadTest, NewConnectionsHaveTheNewPassword) {
  const std::string pooled = Backend().text();
  ASSERT_NE(pooled, "");
  Admin("ALTER ROLE app PASSWORD 'second-zebra'");
  Password("second-zebra");
  // Who is connected stays so, whatever the password is.
  Hangup("a password was reloaded");
  EXPECT_EQ(Backend().text(), pooled);
  CloseAll();
  const Outcome outcome = Backend();
  EXPECT_TRUE(outcome.status.ok()) << outcome.status.error_message();
  EXPECT_NE(outcome.text(), pooled);
  EXPECT_THAT(daemon_->output(), Not(HasSubstr("zebra")));
  EXPECT_THAT(daemon_->output(), Not(HasSubstr("restart")));
}

// A database that has refused the old password is there again.
TEST_F(ReloadTest, AWrongPasswordIsPutRight) {
  ASSERT_NE(Backend().text(), "");
  Admin("ALTER ROLE app PASSWORD 'second-zebra'");
  CloseAll();
  EXPECT_EQ(Backend().detail.reason(), v1::REASON_BACKEND_CREDENTIALS);
  Password("second-zebra");
  Hangup("a password was reloaded");
  Eventually([&] { return Backend().status.ok(); });
}

TEST_F(ReloadTest, AFileThatIsRefusedLeavesTheOldPassword) {
  Password("second-zebra");
  std::filesystem::permissions(file("password"), std::filesystem::perms(0644));
  Hangup("everybody can read");
  Password("two\nzebras");
  Hangup("does not have exactly one line");
  std::filesystem::remove(file("password"));
  Hangup("names a file that cannot be read");
  EXPECT_THAT(daemon_->output(), HasSubstr("databases.app.password_file"));
  EXPECT_TRUE(Backend().status.ok()) << Backend().status.error_message();
  EXPECT_THAT(daemon_->output(), Not(HasSubstr("a password was reloaded")));
  EXPECT_THAT(daemon_->output(), Not(HasSubstr("zebra")));
}

// A file that is mounted anew is read by the next attempt to connect.
TEST_F(ReloadTest, AFileIsReadAgainWithoutASignal) {
  ASSERT_NE(Backend().text(), "");
  Admin("ALTER ROLE app PASSWORD 'second-zebra'");
  Password("second-zebra");
  CloseAll();
  EXPECT_TRUE(Backend().status.ok()) << Backend().status.error_message();
  EXPECT_TRUE(daemon_->WaitForOutput("a password was reloaded: new connections use it"));
  std::filesystem::remove(file("password"));
  CloseAll();
  EXPECT_TRUE(Backend().status.ok()) << Backend().status.error_message();
  EXPECT_TRUE(daemon_->WaitForOutput("a password cannot be read again: the last one goes on"));
  EXPECT_THAT(daemon_->output(),
              HasSubstr("databases.app.password_file: names a file that cannot"));
  EXPECT_THAT(daemon_->output(), Not(HasSubstr("zebra")));
}

// The password of another user waits for it; what else needs a restart is named.
TEST_F(ReloadTest, WhatNeedsARestartIsNamed) {
  Password("second-zebra");
  Configure(", max_open_connections: 3", "other");
  Hangup("a configuration change needs a restart");
  EXPECT_THAT(
      daemon_->output(),
      HasSubstr("databases.app.max_open_connections, databases.app.username, databases.app: the "
                "password"));
  EXPECT_TRUE(Backend().status.ok()) << Backend().status.error_message();
  EXPECT_THAT(daemon_->output(), Not(HasSubstr("a password was reloaded")));
  // Another file for the same user is no restart.
  Write("other", "first-mule\n");
  std::filesystem::permissions(file("other"), std::filesystem::perms(0600));
  Configure("");
  Hangup("a password was reloaded");
}

}  // namespace
}  // namespace penstock::testing
