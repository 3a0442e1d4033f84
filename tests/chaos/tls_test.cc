// TLS between the daemon and PostgreSQL, with certificates made here.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <pqxx/pqxx>
#include <string>

#include "fmt/format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/support/certificates.h"
#include "tests/support/gateway.h"
#include "tests/support/postgres_cluster.h"
#include "tests/support/wire.h"

namespace penstock::testing {
namespace {

using ::testing::HasSubstr;

// A port of 127.0.0.1 that nobody listens on.
int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  EXPECT_EQ(bind(fd, generic, size), 0);
  EXPECT_EQ(getsockname(fd, generic, &size), 0);
  close(fd);
  return ntohs(address.sin_port);
}

class PostgresTls : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = new TempDir;
    for (const char* authority : {"authority", "stranger"}) {
      MakeCertificate(folder_->path(), authority);
    }
    for (const char* name : {"server", "certified"}) {
      MakeCertificate(folder_->path(), name, "authority");
    }
    MakeCertificate(folder_->path(), "forged", "stranger");
    std::ofstream(File("hba")) << "local all all trust\n"
                                  "hostssl all certified 127.0.0.1/32 cert\n"
                                  "host all secret 127.0.0.1/32 scram-sha-256\n"
                                  "host all all 127.0.0.1/32 trust\n";
    cluster_ = new PostgresCluster;
    for (const char* role : {"certified", "secret PASSWORD 'hunter2'"}) {
      pqxx::connection connection(cluster_->connection_string("postgres"));
      pqxx::nontransaction(connection).exec(std::string("CREATE ROLE ") + role + " LOGIN");
    }
    port_ = FreePort();
    const std::string cert = cluster_->PlaceFile(File("server.crt"), "server.crt");
    const std::string key = cluster_->PlaceFile(File("server.key"), "server.key");
    const std::string authority = cluster_->PlaceFile(File("authority.crt"), "authority.crt");
    const std::string hba = cluster_->PlaceFile(File("hba"), "hba");
    cluster_->Stop(SIGINT);
    cluster_->Start({"listen_addresses=127.0.0.1", fmt::format("port={}", port_), "ssl=on",
                     "ssl_cert_file=" + cert, "ssl_key_file=" + key, "ssl_ca_file=" + authority,
                     "hba_file=" + hba});
  }
  static void TearDownTestSuite() {
    delete cluster_;
    delete folder_;
  }

  static std::string File(const std::string& name) { return folder_->path() + "/" + name; }

  // One query over a connection made so.
  static Outcome QueryAs(const std::string& host, const std::string& ssl_mode,
                         const std::string& authority) {
    driver::Config driver = ConfigFor(host, ssl_mode);
    if (!authority.empty()) driver.options["ssl_ca"] = File(authority + ".crt");
    return Query(driver);
  }
  static driver::Config ConfigFor(const std::string& host, const std::string& ssl_mode) {
    driver::Config driver;
    driver.name = "main";
    driver.driver = "postgres";
    driver.host = host;
    driver.port = port_;
    driver.username = "postgres";
    driver.database = "postgres";
    driver.ssl_mode = ssl_mode;
    return driver;
  }
  static Outcome Query(const driver::Config& driver) {
    TempDir folder;
    server::Config config = SqliteConfig(folder.path());
    config.databases.at("main").driver = driver;
    Gateway gateway(config);
    return Wire(gateway.target()).Query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
  }

  static inline TempDir* folder_ = nullptr;
  static inline PostgresCluster* cluster_ = nullptr;
  static inline int port_ = 0;
};

TEST_F(PostgresTls, TheServerIsVerified) {
  for (const char* mode : {"require", "verify-ca", "verify-full"}) {
    const Outcome outcome = QueryAs("127.0.0.1", mode, "authority");
    EXPECT_EQ(outcome.text(), "true") << mode << ": " << outcome.status.error_message();
  }
  EXPECT_EQ(QueryAs("127.0.0.1", "disable", "").text(), "false");
}

TEST_F(PostgresTls, AnotherAuthorityIsRefused) {
  const Outcome outcome = QueryAs("127.0.0.1", "verify-full", "stranger");
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(outcome.detail.reason(), v1::REASON_BACKEND_CREDENTIALS);
  EXPECT_THAT(outcome.status.error_message(), HasSubstr("certificate verify failed"));
  EXPECT_THAT(outcome.detail.hint(), HasSubstr("ssl_ca"));
}

TEST_F(PostgresTls, ACertificateOfOursIsAskedFor) {
  driver::Config driver = ConfigFor("127.0.0.1", "verify-full");
  driver.username = "certified";
  driver.options["ssl_ca"] = File("authority.crt");
  EXPECT_EQ(Query(driver).detail.reason(), v1::REASON_BACKEND_CREDENTIALS);
  driver.options["ssl_cert"] = File("certified.crt");
  driver.options["ssl_key"] = File("certified.key");
  const Outcome outcome = Query(driver);
  EXPECT_EQ(outcome.text(), "true") << outcome.status.error_message();
  driver.options["ssl_cert"] = File("forged.crt");
  driver.options["ssl_key"] = File("forged.key");
  EXPECT_FALSE(Query(driver).status.ok());
}

TEST_F(PostgresTls, APasswordIsAskedFor) {
  for (const char* mode : {"prefer", "allow", "disable"}) {
    driver::Config driver = ConfigFor("127.0.0.1", mode);
    driver.username = "secret";
    driver.password.Set("hunter2");
    const Outcome outcome = Query(driver);
    EXPECT_EQ(outcome.text(), std::string_view(mode) == "prefer" ? "true" : "false")
        << outcome.status.error_message();
    for (const char* wrong : {"hunter3", ""}) {
      driver.password.Set(wrong);
      const Outcome refused = Query(driver);
      EXPECT_EQ(refused.detail.reason(), v1::REASON_BACKEND_CREDENTIALS)
          << refused.status.error_message();
      EXPECT_EQ(refused.status.error_message().find("hunter"), std::string::npos);
    }
  }
}

TEST_F(PostgresTls, AnotherNameIsRefused) {
  const Outcome outcome = QueryAs("localhost", "verify-full", "authority");
  EXPECT_EQ(outcome.status.error_code(), grpc::StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(outcome.status.error_message(), HasSubstr("does not match host name"));
  EXPECT_THAT(outcome.detail.hint(), HasSubstr("by a name"));
  // Only verify-full looks at the name.
  EXPECT_EQ(QueryAs("localhost", "verify-ca", "authority").text(), "true");
}

}  // namespace
}  // namespace penstock::testing
