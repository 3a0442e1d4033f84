// A secret by each way in is looked for in the memory of the running daemon, which is what a core
// dump would have: what is not in use any more is nowhere. Where a library that is not ours frees
// memory without wiping it, the allocator does so in these tests (MALLOC_CONF=junk:free), so that
// what is found is something that is kept. docs/identities.md says what that is.
#include <signal.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "sealing/sealed_box.h"
#include "tests/support/certificates.h"
#include "tests/support/eventually.h"
#include "tests/support/memory_image.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/auth/jwt_fixture.h"

namespace penstock::testing {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kWipesAll[] = "MALLOC_CONF=junk:free";

class MemoryTest : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(file("fresh")) << text;
    std::filesystem::permissions(file("fresh"), std::filesystem::perms(0600));
    std::filesystem::rename(file("fresh"), file(name));
  }
  std::string Read(const std::string& name) const {
    std::ifstream in(file(name));
    return {std::istreambuf_iterator<char>(in), {}};
  }

  // `server` has further keys of that section, each after a comma, `more` further sections.
  void Configure(const std::string& server, const std::string& more) const {
    Write("c.yaml", fmt::format("data_dir: {0}/data\nserver: {{listen: ['127.0.0.1:0', "
                                "'unix:{0}/s'], core_dumps: true{1}}}\n{2}",
                                folder_.path(), server, more));
  }

  void Start(const std::vector<std::string>& environment = {}) {
    std::vector<std::string> words = {"env", "CREDENTIALS_DIRECTORY=" + folder_.path()};
    words.insert(words.end(), environment.begin(), environment.end());
    words.insert(words.end(), {BuiltProgram("penstockd"), "--config", file("c.yaml")});
    daemon_ = std::make_unique<Process>(words, folder_.path());
    const std::string ready = daemon_->LineAfter("penstockd ready: grpc ");
    ASSERT_NE(ready, "") << daemon_->output();
    tcp_ = ready.substr(0, ready.find(' '));
    http_ = ready.substr(ready.rfind(' ') + 1);
  }

  std::vector<std::string> Places(const std::string& text) const {
    return FindInMemory(daemon_->pid(), text);
  }
  // Waits until the text is nowhere: what has it is about to end.
  void ExpectGone(const std::string& text, const std::string& what) const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    std::vector<std::string> places = Places(text);
    while (!places.empty() && std::chrono::steady_clock::now() < until) places = Places(text);
    EXPECT_THAT(places, IsEmpty()) << what;
  }

  void Reload() const {
    daemon_->Signal(SIGHUP);
    ASSERT_TRUE(daemon_->WaitForOutput("INFO reloaded")) << daemon_->output();
  }

  const TempDir folder_;
  std::unique_ptr<Process> daemon_;
  std::string tcp_;
  std::string http_;
};

// No allocator helps here: all that has been read is overwritten, the YAML reader's copies too.
TEST_F(MemoryTest, OfTheConfigurationOnlyWhatIsInUseStays) {
  const sealing::SecretKey key = sealing::SecretKey::Generate();
  Write("key", key.Text() + "\n");
  const auto secret = [](const std::string& way, int generation) {
    return fmt::format("giraffe-{}-{}-9f2c71d4e8", way, generation);
  };
  const auto configure = [&](int generation) {
    Write("file", secret("file", generation) + "\n");
    Write("credential", secret("credential", generation) + "\n");
    constexpr char kPlace[] = "driver: postgres, host: /nowhere, username: app, database: d";
    Configure(", http_listen: 'off'",
              fmt::format("secret_keys: {}\ndefault_database: clear\ndatabases:\n"
                          "  clear: {{{}, password: {}}}\n"
                          "  sealed: {{{}, password: '{}'}}\n"
                          "  file: {{{}, password_file: {}}}\n"
                          "  credential: {{{}, password_credential: credential}}\n",
                          file("key"), kPlace, secret("clear", generation), kPlace,
                          key.public_key().Seal(secret("sealed", generation)), kPlace, file("file"),
                          kPlace));
  };
  configure(1);
  Start();
  const std::string ways[] = {"clear", "sealed", "file", "credential"};
  for (const std::string& way : ways) {
    EXPECT_THAT(Places(secret(way, 1)), SizeIs(1)) << way << " is kept once";
  }
  ExpectGone(key.Text().substr(20), "the secret key");
  configure(2);
  Reload();
  for (const std::string& way : ways) {
    ExpectGone(secret(way, 1), way);
    EXPECT_THAT(Places(secret(way, 2)), SizeIs(1)) << way << " is kept once";
  }
  ExpectGone(key.Text().substr(20), "the secret key");
}

TEST_F(MemoryTest, APasswordThatWasReplacedIsNotKept) {
  PostgresCluster server;
  Write("hba", "local all postgres trust\nlocal all all scram-sha-256\n");
  server.Stop(SIGINT);
  server.Start({"hba_file=" + server.PlaceFile(file("hba"), "hba")});
  const std::string database = server.CreateDatabase();
  const std::string first = "giraffe-first-9f2c71d4e8", second = "giraffe-second-9f2c71d4e8";
  const std::string unused = "giraffe-unused-9f2c71d4e8";
  Write("password", first + "\n");
  const auto configure = [&](const std::string& string) {
    Configure(", http_listen: 'off'",
              fmt::format("default_database: admin\ndatabases:\n"
                          "  admin: {{driver: postgres, connection_string: '{}'}}\n"
                          "  app: {{driver: postgres, host: {}, username: app, database: {}, "
                          "password_file: {}}}\n"
                          "  other: {{driver: postgres, connection_string: '{}'}}\n",
                          server.connection_string(database), server.socket_folder(), database,
                          file("password"), string));
  };
  configure("host=/nowhere user=app");
  Start({kWipesAll});
  const auto client = [&](const std::string& name) {
    auto db = New({.target = "unix:" + file("s"), .database = name});
    EXPECT_TRUE(db.ok()) << db.status();
    return *std::move(db);
  };
  const auto admin = client("admin"), app = client("app");
  const auto ask = [](Provider* db, const std::string& sql) {
    auto rows = db->Query(Context(), sql);
    return rows.ok() ? (*rows)->Close() : rows.status();
  };
  ASSERT_EQ(ask(admin.get(), fmt::format("CREATE ROLE app LOGIN PASSWORD '{}'", second)),
            absl::OkStatus());
  EXPECT_FALSE(ask(app.get(), "SELECT 1").ok()) << "with the first one";
  EXPECT_FALSE(Places(first).empty());
  Write("password", second + "\n");
  Eventually([&] { return ask(app.get(), "SELECT 1").ok(); });
  ExpectGone(first, "the password before");
  EXPECT_FALSE(Places(second).empty());
  // Of a connection string that needs a restart nothing is kept.
  configure("host=/nowhere user=app password=" + unused);
  Reload();
  ASSERT_TRUE(daemon_->WaitForOutput("needs a restart"));
  ExpectGone(unused, "a connection string that is not used");
}

TEST_F(MemoryTest, TokensAreNotKept) {
  const server::SigningKey key("P-256");
  Write("jwks.json", server::KeySetText({key.Jwk()}));
  const std::string message =
      fmt::format("{}.{}", server::Base64Url(server::Json({{"alg", R"("ES256")"}})),
                  server::Base64Url(server::Json({{"sub", R"("app@example.org")"},
                                                  {"aud", R"("penstock")"},
                                                  {"nbf", "1000000000"},
                                                  {"exp", "4000000000"}})));
  Write("jwt", fmt::format("{}.{}", message, server::Base64Url(key.Sign("ES256", message))));
  Process made({"sh", "-c",
                fmt::format("umask 077; '{}' token new --id app > token 2> token.yaml",
                            BuiltProgram("penstock"))},
               folder_.path());
  ASSERT_EQ(made.Wait(), 0) << made.output();
  const std::string lines = Read("token.yaml");
  const auto value = [&](const std::string& name) {
    const size_t begin = lines.find(name + ": ");
    return lines.substr(begin, lines.find('\n', begin) - begin);
  };
  // The port of HTTP is reached from here alone, and asks for a token all the same.
  Configure(", insecure: true, http_listen: '0.0.0.0:0'",
            fmt::format("identities:\n  app: {{tokens: [{{id: app, {}, {}}}], "
                        "jwt_subjects: ['app@example.org'], metrics: true, "
                        "grants: [{{database: main, rights: [read]}}]}}\n"
                        "jwt: {{jwks_file: {}, algorithms: [ES256], audience: penstock}}\n",
                        value("sha256"), value("expires"), file("jwks.json")));
  Start({kWipesAll});
  const std::string port = http_.substr(http_.rfind(':') + 1);
  for (const std::string name : {"token", "jwt"}) {
    SCOPED_TRACE(name);
    std::string token = Read(name);
    if (token.ends_with('\n')) token.pop_back();
    // The part that is secret.
    const std::string secret = token.substr(token.size() - 40);
    auto db = New({.target = tcp_, .token_file = file(name)});
    ASSERT_TRUE(db.ok()) << db.status();
    EXPECT_EQ((*db)->Ping(Context()), absl::OkStatus());
    // gRPC keeps it while the connection lasts, in the table of HTTP/2's headers.
    EXPECT_FALSE(Places(secret).empty());
    db->reset();
    Write("header", "Authorization: Bearer " + token);
    Process scrape({"curl", "-sS", "-f", "-H", "@" + file("header"),
                    fmt::format("http://127.0.0.1:{}/metrics", port)},
                   folder_.path());
    EXPECT_EQ(scrape.Wait(), 0) << scrape.output();
    ExpectGone(secret, name);
  }
}

TEST_F(MemoryTest, AKeyThatWasReplacedIsNotKept) {
  const std::string& path = folder_.path();
  MakeCertificate(path, "authority");
  MakeCertificate(path, "daemon", "authority");
  MakeCertificate(path, "next", "authority");
  Configure(fmt::format(", http_listen: 'off', tls: {{cert_file: {}, key_file: {}}}",
                        file("daemon.crt"), file("daemon.key")),
            "");
  Start({kWipesAll});
  const auto connect = [&] {
    auto db = New({.target = tcp_, .tls = {.ca_file = file("authority.crt")}});
    return db.ok() ? (*db)->Connect(Context()) : db.status();
  };
  // The second line of the file.
  const auto line = [](const std::string& pem) { return pem.substr(pem.find('\n') + 1, 64); };
  const std::string first = line(Read("daemon.key")), second = line(Read("next.key"));
  EXPECT_EQ(connect(), absl::OkStatus());
  EXPECT_FALSE(Places(first).empty());
  std::filesystem::rename(file("next.crt"), file("daemon.crt"));
  std::filesystem::rename(file("next.key"), file("daemon.key"));
  ASSERT_TRUE(daemon_->WaitForOutput("certificates were replaced")) << daemon_->output();
  // gRPC asks for them when somebody connects.
  EXPECT_EQ(connect(), absl::OkStatus());
  ExpectGone(first, "the key before");
  EXPECT_FALSE(Places(second).empty());
}

// Root may read it all the same, so another user tries.
TEST_F(MemoryTest, OthersOfItsUserCannotReadIt) {
  const bool is_root = geteuid() == 0;
  std::filesystem::permissions(folder_.path(), std::filesystem::perms(0777));
  const auto as_user = [&](std::vector<std::string> words) {
    if (is_root) {
      words.insert(words.begin(), {"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"});
    }
    return words;
  };
  for (const bool allowed : {false, true}) {
    SCOPED_TRACE(allowed);
    const std::string data = file(allowed ? "open" : "closed");
    Write("c.yaml", fmt::format("data_dir: {0}\nserver: {{listen: 'unix:{0}/s', http_listen: "
                                "'off', core_dumps: {1}}}\n",
                                data, allowed));
    std::filesystem::permissions(file("c.yaml"), std::filesystem::perms(0644));
    const std::string cores = file(allowed ? "cores-open" : "cores-closed");
    std::filesystem::create_directory(cores);
    std::filesystem::permissions(cores, std::filesystem::perms(0777));
    Process daemon(as_user({"sh", "-c",
                            fmt::format("ulimit -c unlimited; cd '{}' && exec '{}' --config '{}'",
                                        cores, BuiltProgram("penstockd"), file("c.yaml"))}),
                   folder_.path());
    ASSERT_TRUE(daemon.WaitForOutput("penstockd ready")) << daemon.output();
    // The kernel asks the same for this file as for the memory and for ptrace.
    Process reader(as_user({"head", "-c", "1", fmt::format("/proc/{}/environ", daemon.pid())}),
                   folder_.path());
    EXPECT_EQ(reader.Wait() == 0, allowed) << reader.output();
    daemon.Signal(SIGABRT);
    EXPECT_EQ(daemon.Wait(), 128 + SIGABRT);
    EXPECT_TRUE(allowed || std::filesystem::is_empty(cores));
  }
}

}  // namespace
}  // namespace penstock::testing
