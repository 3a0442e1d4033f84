// A secret by each way into the configuration is found nowhere that it should not be.
// memory_test.cc looks into the memory.
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/v1/admin.grpc.pb.h"
#include "sealing/sealed_box.h"
#include "tests/endurance/http_get.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "tests/support/wire.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

// A database for each way, on a server that asks for a password. Each secret has the word
// "giraffe" and the way in it; the server takes the one that comes from the file, and no other.
class SecretsTest : public ::testing::Test {
 protected:
  SecretsTest() {
    Write("hba", "local all postgres trust\nlocal all all scram-sha-256\n");
    server_.Stop(SIGINT);
    server_.Start({"hba_file=" + server_.PlaceFile(file("hba"), "hba")});
    database_ = server_.CreateDatabase();
    Write("file", Secret("file") + "\n");
    Write("credential", Secret("credential") + "\n");
    Write("key", key_.Text() + "\n");
  }

  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(file(name)) << text;
    std::filesystem::permissions(file(name), std::filesystem::perms(0600));
  }

  static std::string Secret(const std::string& way) { return "giraffe-" + way + "-9f2c"; }

  std::string Seal(const std::string& secret) const { return key_.public_key().Seal(secret); }

  // What is beside `driver: postgres`, by the name of the way.
  std::map<std::string, std::string> Ways() const {
    const std::string place =
        fmt::format("host: {}, username: app, database: {}", server_.socket_folder(), database_);
    const auto string = [&](const std::string& way) {
      return fmt::format("host={} user=app dbname={} password={}", server_.socket_folder(),
                         database_, Secret(way));
    };
    return {
        {"clear", place + ", password: " + Secret("clear")},
        {"env", place + ", password_env: GIRAFFE"},
        {"file", place + ", password_file: " + file("file")},
        {"credential", place + ", password_credential: credential"},
        {"sealed", place + ", password: '" + Seal(Secret("sealed")) + "'"},
        {"string", "connection_string: '" + string("string") + "'"},
        {"sealed_string", "connection_string: '" + Seal(string("sealed_string")) + "'"},
    };
  }

  // `server`: further keys of `server`, each after a comma.
  void Configure(const std::string& server = "") const {
    std::string yaml = fmt::format(
        "data_dir: {0}/data\nsecret_keys: {0}/key\nlog: {{level: trace}}\n"
        "server: {{listen: ['unix:{0}/s.sock'], http_listen: '127.0.0.1:0'{1}}}\n"
        "default_database: admin\ndatabases:\n"
        "  admin: {{driver: postgres, connection_string: '{2}'}}\n",
        folder_.path(), server, server_.connection_string(database_));
    for (const auto& [way, keys] : Ways()) {
      yaml += fmt::format("  {}: {{driver: postgres, {}}}\n", way, keys);
    }
    Write("c.yaml", yaml);
  }

  // Runs penstockd with the environment that the configuration names.
  std::unique_ptr<Process> Run(const std::vector<std::string>& flags) const {
    std::vector<std::string> words = {"env",
                                      "GIRAFFE=" + Secret("env"),
                                      "CREDENTIALS_DIRECTORY=" + folder_.path(),
                                      BuiltProgram("penstockd"),
                                      "--config",
                                      file("c.yaml")};
    words.insert(words.end(), flags.begin(), flags.end());
    return std::make_unique<Process>(words, folder_.path());
  }

  // The soft and the hard limit of a process for core dumps.
  static std::pair<std::string, std::string> CoreLimits(pid_t pid) {
    std::ifstream limits(fmt::format("/proc/{}/limits", pid));
    for (std::string line; std::getline(limits, line);) {
      std::istringstream words(line);
      std::string max, core, file, size, soft, hard;
      words >> max >> core >> file >> size >> soft >> hard;
      if (core == "core") return {soft, hard};
    }
    return {};
  }

  const TempDir folder_;
  const sealing::SecretKey key_ = sealing::SecretKey::Generate();
  PostgresCluster server_;
  std::string database_;
};

TEST_F(SecretsTest, AreFoundNowhere) {
  Configure();
  const auto daemon = Run({});
  const std::string ready = daemon->LineAfter("penstockd ready: ");
  ASSERT_NE(ready, "") << daemon->output();
  const std::string http = ready.substr(ready.rfind(' ') + 1);
  Wire wire("unix:" + file("s.sock"));
  ASSERT_TRUE(
      wire.Exec(fmt::format("CREATE ROLE app LOGIN PASSWORD '{}'", Secret("file"))).status.ok());
  std::map<std::string, std::string> said;
  for (const auto& [way, keys] : Ways()) {
    v1::QueryRequest request;
    request.set_database(way);
    request.set_sql("SELECT 1");
    const Outcome outcome = wire.Query(request);
    EXPECT_EQ(outcome.status.ok(), way == "file") << way << outcome.status.error_message();
    if (way != "file") {
      EXPECT_EQ(outcome.detail.reason(), v1::REASON_BACKEND_CREDENTIALS) << way;
    }
    said["the error of " + way] = outcome.status.error_message() + outcome.status.error_details() +
                                  outcome.detail.DebugString();
  }
  grpc::ClientContext context;
  v1::GetStatsResponse stats;
  ASSERT_TRUE(v1::AdminService::NewStub(wire.channel())->GetStats(&context, {}, &stats).ok());
  said["GetStats"] = stats.DebugString();
  const HttpAnswer metrics = HttpGetWithin(std::chrono::seconds(10), http, "/metrics");
  ASSERT_EQ(metrics.code, 200);
  said["/metrics"] = metrics.body;
  said["/readyz"] = HttpGetWithin(std::chrono::seconds(10), http, "/readyz").body;
  said["its command line"] = Content(fmt::format("/proc/{}/cmdline", daemon->pid()));
  // It has the one that was given it there, and who may read it is the kernel's to say.
  std::string environment = Content(fmt::format("/proc/{}/environ", daemon->pid()));
  if (const size_t at = environment.find(Secret("env")); at != std::string::npos) {
    environment.erase(at, Secret("env").size());
  }
  said["its environment"] = environment;
  daemon->Signal(SIGHUP);
  ASSERT_TRUE(daemon->WaitForOutput(" reloaded ")) << daemon->output();
  daemon->Signal(SIGTERM);
  EXPECT_EQ(daemon->Wait(), 0);
  said["the log"] = daemon->output();
  for (const auto& [where, text] : said) {
    EXPECT_THAT(text, Not(HasSubstr("giraffe"))) << where;
    EXPECT_THAT(text, Not(HasSubstr(key_.Text().substr(30)))) << where;
  }
}

TEST_F(SecretsTest, CheckNamesThoseInClear) {
  Configure();
  const auto check = Run({"--check"});
  EXPECT_EQ(check->Wait(), 0) << check->output();
  const std::string note =
      ": is a secret in clear; seal it with penstock secret seal, or keep the password in a "
      "password_file\n";
  EXPECT_THAT(check->output(), HasSubstr("databases.clear.password" + note));
  EXPECT_THAT(check->output(), HasSubstr("databases.string.connection_string" + note));
  EXPECT_THAT(check->output(), HasSubstr("the configuration is valid: 8 database(s)\n"));
  for (const char* other : {"giraffe", "databases.env", "databases.file", "databases.credential",
                            "databases.sealed", "databases.admin"}) {
    EXPECT_THAT(check->output(), Not(HasSubstr(other)));
  }
}

TEST_F(SecretsTest, NoCoreDumpUnlessItIsAskedFor) {
  Configure();
  const auto closed = Run({});
  ASSERT_TRUE(closed->WaitForOutput("penstockd ready")) << closed->output();
  EXPECT_EQ(CoreLimits(closed->pid()).first, "0");
  closed->Signal(SIGKILL);
  closed->Wait();
  Configure(", core_dumps: true");
  const auto open = Run({});
  ASSERT_TRUE(open->WaitForOutput("penstockd ready")) << open->output();
  const auto [soft, hard] = CoreLimits(open->pid());
  EXPECT_EQ(soft, hard);
}

}  // namespace
}  // namespace penstock::testing
