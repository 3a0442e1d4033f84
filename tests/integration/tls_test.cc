// TLS between the built daemon and the C++ client, with certificates made here.
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/support/certificates.h"
#include "tests/support/gateway.h"
#include "tests/support/link_proxy.h"
#include "tests/support/process.h"

namespace penstock::testing {
namespace {

class TlsTest : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }

  void SetUp() override {
    MakeCertificate(folder_.path(), "authority");
    MakeCertificate(folder_.path(), "daemon", "authority");
    MakeCertificate(folder_.path(), "client", "authority");
    MakeCertificate(folder_.path(), "stranger");
  }

  // A daemon with these files and a port of its own choice.
  std::unique_ptr<Process> Daemon(const std::string& cert_file, const std::string& key_file,
                                  const std::string& client_ca_file = "") {
    std::ofstream(file("penstock.yaml"))
        << fmt::format(
               "server:\n  listen: 127.0.0.1:0\n  http_listen: ''\n  tls:\n"
               "    cert_file: {}\n    key_file: {}\n",
               file(cert_file), file(key_file))
        << (client_ca_file.empty() ? "" : "    client_ca_file: " + file(client_ca_file) + "\n");
    return std::make_unique<Process>(
        std::vector<std::string>{BuiltProgram("penstockd"), "--config", file("penstock.yaml"),
                                 "--data-dir", file("data")},
        folder_.path());
  }
  // The address it serves.
  static std::string AddressOf(Process& daemon) {
    return daemon.LineAfter("penstockd ready: grpc ");
  }

  // What becomes of a query over a new link.
  static absl::Status Query(const std::string& target, const TlsConfig& tls) {
    auto db = New({.target = target, .tls = tls});
    if (!db.ok()) return db.status();
    auto rows = (*db)->Query(Context(), "SELECT 42");
    if (!rows.ok()) return rows.status();
    int64_t value = 0;
    if (!(*rows)->Next() || !(*rows)->Scan(&value).ok()) return absl::DataLossError("no row");
    EXPECT_EQ(value, 42);
    return (*rows)->Close();
  }

  // What a daemon that must not start says.
  std::string Refusal(const std::string& cert_file, const std::string& key_file) {
    const std::unique_ptr<Process> daemon = Daemon(cert_file, key_file);
    EXPECT_EQ(daemon->Wait(), 78);
    return daemon->output();
  }

  TempDir folder_;
};

TEST_F(TlsTest, OnlyAClientThatKnowsTheAuthorityConnects) {
  const std::unique_ptr<Process> daemon = Daemon("daemon.crt", "daemon.key");
  const std::string target = AddressOf(*daemon);
  const TlsConfig right = {.ca_file = file("authority.crt")};
  EXPECT_EQ(Query(target, right), absl::OkStatus());
  const absl::Status plain = Query(target, {});
  EXPECT_TRUE(IsUnavailable(plain)) << plain;
  const absl::Status wrong = Query(target, {.ca_file = file("stranger.crt")});
  EXPECT_TRUE(IsUnavailable(wrong)) << wrong;
  // They are in nobody's way.
  EXPECT_EQ(Query(target, right), absl::OkStatus());
}

// The handshakes alone take several times 50 ms each way.
TEST_F(TlsTest, WorksOverASlowLink) {
  const std::unique_ptr<Process> daemon = Daemon("daemon.crt", "daemon.key");
  const LinkProxy proxy(AddressOf(*daemon), std::chrono::milliseconds(50));
  EXPECT_EQ(Query(proxy.target(), {.ca_file = file("authority.crt")}), absl::OkStatus());
  EXPECT_EQ(proxy.accepted(), 1);
}

TEST_F(TlsTest, ACertificateForAnotherNameIsRefused) {
  // Trusted, but it names no address.
  const std::unique_ptr<Process> daemon = Daemon("stranger.crt", "stranger.key");
  const absl::Status status = Query(AddressOf(*daemon), {.ca_file = file("stranger.crt")});
  EXPECT_TRUE(IsUnavailable(status)) << status;
}

TEST_F(TlsTest, WithAnAuthorityForClientsEachNeedsItsCertificate) {
  const std::unique_ptr<Process> daemon = Daemon("daemon.crt", "daemon.key", "authority.crt");
  const std::string target = AddressOf(*daemon);
  TlsConfig tls = {.ca_file = file("authority.crt")};
  const absl::Status none = Query(target, tls);
  EXPECT_TRUE(IsUnavailable(none)) << none;
  tls.cert_file = file("stranger.crt");
  tls.key_file = file("stranger.key");
  const absl::Status stranger = Query(target, tls);
  EXPECT_TRUE(IsUnavailable(stranger)) << stranger;
  tls.cert_file = file("client.crt");
  tls.key_file = file("client.key");
  EXPECT_EQ(Query(target, tls), absl::OkStatus());
}

TEST_F(TlsTest, AKeyThatDoesNotServeIsToldAtTheStart) {
  std::string said = Refusal("daemon.crt", "missing.key");
  EXPECT_NE(said.find("missing.key' cannot be read: No such file"), std::string::npos) << said;
  // Not by its permissions, which root does not mind.
  std::filesystem::create_directory(file("folder.key"));
  said = Refusal("daemon.crt", "folder.key");
  EXPECT_NE(said.find("folder.key' cannot be read: Is a directory"), std::string::npos) << said;
  said = Refusal("daemon.crt", "client.key");
  EXPECT_NE(said.find("client.key' is not the key of the certificate"), std::string::npos) << said;
}

}  // namespace
}  // namespace penstock::testing
