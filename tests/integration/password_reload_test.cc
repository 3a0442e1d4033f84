// A database's password that is changed while the daemon runs, by SIGHUP.
#include <signal.h>

#include <filesystem>
#include <fstream>
#include <pqxx/pqxx>
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

// A daemon whose role has to give a password that is in a file.
class PasswordReload : public ::testing::Test {
 protected:
  void SetUp() override {
    Ask("CREATE ROLE secret LOGIN PASSWORD 'before'");
    const std::string hba = file("hba");
    std::ofstream(hba) << "local all secret scram-sha-256\nlocal all all trust\n";
    const std::string placed = cluster_.PlaceFile(hba, "hba");
    cluster_.Stop(SIGINT);
    cluster_.Start({"hba_file=" + placed});
    WritePassword("before");
    std::ofstream(file("penstock.yaml")) << fmt::format(
        "data_dir: {0}/data\n"
        "server: {{listen: ['unix:{0}/s.sock'], http_listen: ''}}\n"
        "databases:\n"
        "  main: {{driver: postgres, host: {1}, username: secret, database: postgres, "
        "password_file: {0}/password, max_idle_connections: 1}}\n",
        folder_.path(), cluster_.socket_folder());
    const std::vector<std::string> words = {BuiltProgram("penstockd"), "--config",
                                            file("penstock.yaml")};
    daemon_ = std::make_unique<Process>(words, folder_.path());
    ASSERT_TRUE(daemon_->WaitForOutput("penstockd ready")) << daemon_->output();
  }

  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }

  void WritePassword(const std::string& text) {
    std::ofstream(file("password")) << text << "\n";
    std::filesystem::permissions(
        file("password"), std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  }

  void Ask(const std::string& sql) {
    pqxx::connection connection(cluster_.connection_string("postgres"));
    pqxx::nontransaction(connection).exec(sql);
  }
  // The daemon has to connect anew.
  void EndConnections() {
    Ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'secret'");
  }

  Outcome Query() { return Wire("unix:" + file("s.sock")).Query("SELECT current_user::text"); }

  PostgresCluster cluster_;
  TempDir folder_;
  std::unique_ptr<Process> daemon_;
};

TEST_F(PasswordReload, NewConnectionsHaveTheNewOne) {
  EXPECT_EQ(Query().text(), "'secret'");
  Ask("ALTER ROLE secret PASSWORD 'zebra'");
  // Who is connected stays so.
  EXPECT_EQ(Query().text(), "'secret'");
  EndConnections();
  Eventually([&] { return Query().detail.reason() == v1::REASON_BACKEND_CREDENTIALS; });
  WritePassword("zebra");
  daemon_->Signal(SIGHUP);
  ASSERT_TRUE(daemon_->WaitForOutput("reloaded")) << daemon_->output();
  Eventually([&] { return Query().text() == "'secret'"; });
  EXPECT_THAT(daemon_->output(), Not(HasSubstr("needs a restart")));
  EXPECT_THAT(daemon_->output(), Not(HasSubstr("zebra")));
}

TEST_F(PasswordReload, AFileThatCannotBeUsedChangesNothing) {
  EXPECT_EQ(Query().text(), "'secret'");
  int refused = 0;
  const auto reload = [&] {
    daemon_->Signal(SIGHUP);
    ++refused;
    Eventually([&] {
      int count = 0;
      const std::string output = daemon_->output();
      for (size_t at = 0; (at = output.find("was not reloaded", at)) != std::string::npos; ++at) {
        ++count;
      }
      return count == refused;
    });
    EndConnections();
    Eventually([&] { return Query().text() == "'secret'"; });
  };
  WritePassword("zebra\ngiraffe");
  reload();
  WritePassword("zebra");
  std::filesystem::permissions(file("password"), std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  reload();
  std::filesystem::remove(file("password"));
  reload();
  EXPECT_THAT(daemon_->output(), HasSubstr("password_file"));
  EXPECT_THAT(daemon_->output(), Not(HasSubstr("zebra")));
}

}  // namespace
}  // namespace penstock::testing
