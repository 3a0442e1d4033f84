// Who may do what, with the built daemon, client and command: tokens, certificates, processes, and
// what a reload changes.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/support/certificates.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kAll[] = "[{database: '*', rights: [read, write, migrate, admin]}]";
constexpr char kRead[] = "[{database: main, rights: [read]}]";

class IdentitiesTest : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }

  // Makes a token with the command, leaves it in a file of that name, and returns the lines of the
  // configuration for it.
  std::string MakeToken(const std::string& id) const {
    Process made({"sh", "-c",
                  fmt::format("umask 077; '{}' token new --id {} > {}.token 2> {}.yaml",
                              BuiltProgram("penstock"), id, id, id)},
                 folder_.path());
    EXPECT_EQ(made.Wait(), 0) << made.output();
    const std::string token = Read(id + ".token");
    EXPECT_THAT(token, HasSubstr("pst_" + id + "_"));
    const std::string lines = Read(id + ".yaml");
    EXPECT_THAT(lines, Not(HasSubstr(token.substr(0, token.size() - 1))));
    const auto value = [&](const std::string& key) {
      const size_t begin = lines.find(key + ": ");
      EXPECT_NE(begin, std::string::npos) << lines;
      return lines.substr(begin, lines.find('\n', begin) - begin);
    };
    return fmt::format("{{id: {}, {}, {}}}", id, value("sha256"), value("expires"));
  }

  std::string Read(const std::string& name) const {
    std::ifstream in(file(name));
    return {std::istreambuf_iterator<char>(in), {}};
  }

  // `identities` is the section, `server` further keys of the section `server`.
  void Configure(const std::string& identities, const std::string& server = "",
                 const std::string& http_listen = "") const {
    std::ofstream(file("penstock.yaml")) << fmt::format(
        "data_dir: {}\nserver: {{listen: ['127.0.0.1:0', 'unix:{}'], "
        "http_listen: '{}'{}}}\nlog: {{audit: writes}}\n{}",
        file("data"), file("s.sock"), http_listen, server, identities);
  }

  void Start() {
    daemon_ = std::make_unique<Process>(
        std::vector<std::string>{BuiltProgram("penstockd"), "--config", file("penstock.yaml")},
        folder_.path());
    const std::string addresses = daemon_->LineAfter("penstockd ready: grpc ");
    target_ = addresses.substr(0, addresses.find(' '));
    http_port_ = addresses.substr(addresses.rfind(':') + 1);
    ASSERT_FALSE(target_.empty()) << daemon_->output();
  }

  // Applies the configuration, and waits until that is done for the n-th time.
  void Reload() {
    const size_t before = Count("INFO reloaded");
    daemon_->Signal(SIGHUP);
    Eventually([&] { return Count("INFO reloaded") > before; });
  }

  size_t Count(const std::string& text) const {
    const std::string output = daemon_->output();
    size_t count = 0;
    for (size_t at = output.find(text); at != std::string::npos; at = output.find(text, at + 1)) {
      ++count;
    }
    return count;
  }

  std::unique_ptr<Provider> Client(const std::string& token_file = "",
                                   const std::string& target = "") const {
    auto db = New({.target = target.empty() ? target_ : target,
                   .token_file = token_file.empty() ? "" : file(token_file)});
    EXPECT_TRUE(db.ok()) << db.status();
    return *std::move(db);
  }

  static absl::Status Select(Provider* db) {
    auto rows = db->Query(Context(), "SELECT 1");
    return rows.ok() ? (*rows)->Close() : rows.status();
  }
  static absl::Status CreateTable(Provider* db, const std::string& name) {
    return db->Exec(Context(), "CREATE TABLE " + name + " (id INTEGER PRIMARY KEY)").status();
  }

  TempDir folder_;
  std::unique_ptr<Process> daemon_;
  std::string target_;
  std::string http_port_;
};

TEST_F(IdentitiesTest, ATokenThatTheCommandHasMadeOpensTheDaemon) {
  const std::string token = MakeToken("app-1");
  Configure(fmt::format("identities:\n  app: {{tokens: [{}], grants: {}}}\n", token, kRead));
  Start();
  const absl::Status none = Select(Client().get());
  EXPECT_TRUE(absl::IsUnauthenticated(none)) << none;
  const auto db = Client("app-1.token");
  EXPECT_EQ(Select(db.get()), absl::OkStatus());
  const absl::Status write = CreateTable(db.get(), "t");
  EXPECT_TRUE(absl::IsPermissionDenied(write)) << write;
  EXPECT_THAT(std::string(write.message()), HasSubstr("identity 'app' may not write"));
  Process command({"sh", "-c",
                   fmt::format("PENSTOCK_TOKEN_FILE=app-1.token '{}' --target {} query 'SELECT 42'",
                               BuiltProgram("penstock"), target_)},
                  folder_.path());
  EXPECT_EQ(command.Wait(), 0) << command.output();
  EXPECT_THAT(command.output(), HasSubstr("42"));
  const std::string secret = Read("app-1.token").substr(std::string("pst_app-1_").size(), 43);
  EXPECT_THAT(daemon_->output(), Not(HasSubstr(secret)));
}

TEST_F(IdentitiesTest, AScrapeNeedsATokenWhereOtherMachinesReachTheAddress) {
  const std::string identities = fmt::format(
      "identities:\n  prometheus: {{tokens: [{}], metrics: true}}\n"
      "  app: {{tokens: [{}], grants: {}}}\n",
      MakeToken("scrape"), MakeToken("app"), kAll);
  // The code with which a path is answered.
  const auto ask = [&](const std::string& path, const std::string& token = "") {
    std::ofstream(file("header")) << (token.empty() ? "" : "Authorization: Bearer " + Read(token));
    Process curl({"curl", "-sS", "-o", "body", "-w", "%{http_code}", "-H", "@" + file("header"),
                  fmt::format("http://127.0.0.1:{}{}", http_port_, path)},
                 folder_.path());
    EXPECT_EQ(curl.Wait(), 0) << curl.output();
    return curl.output();
  };
  Configure(identities, ", insecure: true", "0.0.0.0:0");
  Start();
  for (const std::string path : {"/healthz", "/readyz"}) EXPECT_EQ(ask(path), "200") << path;
  EXPECT_EQ(ask("/metrics"), "401");
  EXPECT_EQ(ask("/metrics", "app.token"), "403");
  EXPECT_EQ(ask("/metrics", "scrape.token"), "200");
  EXPECT_THAT(Read("body"), HasSubstr("\npenstock_calls_refused_total 1\n"));
  EXPECT_TRUE(
      daemon_->WaitForOutput("WARN a request was refused identity=app peer=127.0.0.1 "
                             "path=/metrics why="));
  // What is for everybody by the word of the configuration, or on this machine.
  Configure(identities, ", insecure: true, public_metrics: true", "0.0.0.0:0");
  Start();
  EXPECT_EQ(ask("/metrics"), "200");
  Configure(identities, "", "127.0.0.1:0");
  Start();
  EXPECT_EQ(ask("/metrics"), "200");
  Configure("", ", insecure: true", "0.0.0.0:0");
  Start();
  EXPECT_EQ(ask("/metrics"), "200");
}

TEST_F(IdentitiesTest, TheAuditSaysWhoWroteWhat) {
  const std::string token = MakeToken("app");
  Configure(fmt::format("identities:\n  app: {{tokens: [{}], grants: {}}}\n", token, kAll));
  Start();
  const auto db = Client("app.token");
  EXPECT_EQ(CreateTable(db.get(), "audited"), absl::OkStatus());
  EXPECT_EQ(Select(db.get()), absl::OkStatus());
  EXPECT_TRUE(daemon_->WaitForOutput("audit caller=app")) << daemon_->output();
  EXPECT_EQ(Count("INFO audit"), 1u) << daemon_->output();
  EXPECT_THAT(daemon_->output(), HasSubstr("CREATE TABLE audited"));
}

TEST_F(IdentitiesTest, AProcessIsKnownByItsUserOnTheUnixSocket) {
  Configure(fmt::format("identities:\n  me: {{unix_users: [{}], grants: {}}}\n", geteuid(), kRead));
  Start();
  const auto db = Client("", "unix:" + file("s.sock"));
  EXPECT_EQ(Select(db.get()), absl::OkStatus());
  const absl::Status write = CreateTable(db.get(), "t");
  EXPECT_THAT(std::string(write.message()), HasSubstr("identity 'me' may not write"));
  EXPECT_TRUE(absl::IsUnauthenticated(Select(Client().get()))) << "TCP has no processes";
}

TEST_F(IdentitiesTest, TheDaemonsOwnUserMayDoEverythingUnlessItIsNamed) {
  const std::string token = MakeToken("app");
  Configure(fmt::format("identities:\n  app: {{tokens: [{}], grants: {}}}\n", token, kRead));
  Start();
  const std::string socket = "unix:" + file("s.sock");
  EXPECT_EQ(CreateTable(Client("", socket).get(), "t"), absl::OkStatus());
  // A token counts, also where none is needed.
  const absl::Status write = CreateTable(Client("app.token", socket).get(), "u");
  EXPECT_TRUE(absl::IsPermissionDenied(write)) << write;
}

TEST_F(IdentitiesTest, ACertificateIsKnownByItsNames) {
  MakeCertificate(folder_.path(), "authority");
  MakeCertificate(folder_.path(), "daemon", "authority");
  MakeCertificate(folder_.path(), "app", "authority", "URI:spiffe://example.org/app");
  MakeCertificate(folder_.path(), "host", "authority", "DNS:host.internal");
  MakeCertificate(folder_.path(), "named", "authority");
  MakeCertificate(folder_.path(), "unknown", "authority", "DNS:named");
  Configure(fmt::format("identities:\n"
                        "  app: {{certificates: ['spiffe://example.org/app'], grants: {0}}}\n"
                        "  host: {{certificates: ['dns:host.internal'], grants: {0}}}\n"
                        "  named: {{certificates: ['cn:named'], grants: {0}}}\n",
                        kRead),
            fmt::format(", tls: {{cert_file: {}, key_file: {}, client_ca_file: {}}}",
                        file("daemon.crt"), file("daemon.key"), file("authority.crt")));
  Start();
  const auto ask = [&](const std::string& name) {
    auto db = New({.target = target_,
                   .tls = {.ca_file = file("authority.crt"),
                           .cert_file = file(name + ".crt"),
                           .key_file = file(name + ".key")}});
    return db.ok() ? CreateTable(db->get(), "t") : db.status();
  };
  for (const std::string name : {"app", "host", "named"}) {
    EXPECT_THAT(std::string(ask(name).message()),
                HasSubstr(fmt::format("identity '{}' may not write", name)));
  }
  const absl::Status unknown = ask("unknown");
  EXPECT_TRUE(absl::IsUnauthenticated(unknown)) << unknown;
}

TEST_F(IdentitiesTest, ATokenIsReplacedUnderLoadWithoutALostCall) {
  const std::string first = MakeToken("first");
  const std::string second = MakeToken("second");
  const auto configure = [&](const std::string& tokens) {
    Configure(fmt::format("identities:\n  app: {{tokens: [{}], grants: {}}}\n", tokens, kAll));
  };
  configure(first);
  Start();
  std::filesystem::copy_file(file("first.token"), file("token"));
  const auto db = Client("token");
  ASSERT_EQ(CreateTable(db.get(), "t"), absl::OkStatus());
  std::atomic<bool> stop{false};
  std::atomic<int> written{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      while (!stop) {
        const absl::Status status = db->Exec(Context(), "INSERT INTO t DEFAULT VALUES").status();
        ASSERT_EQ(status, absl::OkStatus());
        ++written;
      }
    });
  }
  const auto go_on = [&] {
    const int before = written;
    Eventually([&] { return written > before + 100; });
  };
  go_on();
  configure(first + ", " + second);
  Reload();
  go_on();
  std::filesystem::rename(file("second.token"), file("token"));
  // Nobody uses the first one any more once the daemon has seen the second, and the client, which
  // looks at the file once a second, has taken it.
  auto other = Client("first.token");
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1500);
  Eventually([&] { return std::chrono::steady_clock::now() > until; });
  go_on();
  EXPECT_EQ(Select(other.get()), absl::OkStatus());
  configure(second);
  Reload();
  EXPECT_TRUE(absl::IsUnauthenticated(Select(other.get())));
  go_on();
  stop = true;
  for (std::thread& thread : threads) thread.join();
}

TEST_F(IdentitiesTest, AnIdentityThatIsRemovedWhileItsTransactionRunsDoesNotCommit) {
  const std::string token = MakeToken("app");
  Configure(fmt::format("identities:\n  app: {{tokens: [{}], grants: {}}}\n", token, kAll));
  Start();
  const auto db = Client("app.token");
  ASSERT_EQ(CreateTable(db.get(), "t"), absl::OkStatus());
  auto transaction = db->Transaction(Context());
  ASSERT_TRUE(transaction.ok()) << transaction.status();
  ASSERT_TRUE((*transaction)->Exec(Context(), "INSERT INTO t VALUES (1)").ok());
  Configure(fmt::format("identities:\n  other: {{unix_users: [4711], grants: {}}}\n", kRead));
  Reload();
  const absl::Status committed = (*transaction)->Commit(Context());
  EXPECT_TRUE(absl::IsUnauthenticated(committed)) << committed;
  const auto own = Client("", "unix:" + file("s.sock"));
  auto rows = own->Query(Context(), "SELECT count(*) FROM t");
  ASSERT_TRUE(rows.ok() && (*rows)->Next());
  int64_t count = -1;
  EXPECT_EQ((*rows)->Scan(&count), absl::OkStatus());
  EXPECT_EQ(count, 0);
}

TEST_F(IdentitiesTest, AReloadWithAMistakeChangesNothing) {
  const std::string token = MakeToken("app");
  const std::string good =
      fmt::format("identities:\n  app: {{tokens: [{}], grants: {}}}\n", token, kRead);
  Configure(good);
  Start();
  const auto db = Client("app.token");
  Configure(good.substr(0, good.size() / 2));
  daemon_->Signal(SIGHUP);
  ASSERT_TRUE(daemon_->WaitForOutput("the configuration was not reloaded")) << daemon_->output();
  EXPECT_EQ(Select(db.get()), absl::OkStatus());
}

}  // namespace
}  // namespace penstock::testing
