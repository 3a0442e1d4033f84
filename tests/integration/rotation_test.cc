// Certificates, authorities and the keys of JSON Web Tokens are replaced. With no signal, and while
// clients call and connect, no call fails.
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "fmt/format.h"
#include "gtest/gtest.h"
#include "penstock/penstock.h"
#include "tests/support/certificates.h"
#include "tests/support/eventually.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"
#include "tests/unit/auth/jwt_fixture.h"

namespace penstock::testing {
namespace {

namespace fs = std::filesystem;

absl::Status Select(Provider* db) {
  auto rows = db->Query(Context(), "SELECT 1");
  return rows.ok() ? (*rows)->Close() : rows.status();
}

// Threads that do one thing over and over, which must not fail.
class Load {
 public:
  ~Load() { Stop(); }

  void Add(std::function<absl::Status()> work) {
    counts_.push_back(std::make_unique<std::atomic<int>>(0));
    threads_.emplace_back([this, work = std::move(work), count = counts_.back().get()] {
      while (!stop_) {
        const absl::Status status = work();
        if (!status.ok()) {
          ADD_FAILURE() << "call " << *count << ": " << status;
          stop_ = true;
        }
        ++*count;
      }
    });
  }

  // Returns once each thread has begun and ended something from now on.
  void GoOn() const {
    std::vector<int> wanted;
    for (const auto& count : counts_) wanted.push_back(*count + 2);
    Eventually([&] {
      bool all = true;
      for (size_t i = 0; i < wanted.size(); ++i) all = all && *counts_[i] >= wanted[i];
      return all || stop_;
    });
    ASSERT_FALSE(stop_) << "a call has failed";
  }

  void Stop() {
    stop_ = true;
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

 private:
  std::atomic<bool> stop_{false};
  std::vector<std::unique_ptr<std::atomic<int>>> counts_;
  std::vector<std::thread> threads_;
};

class RotationTest : public ::testing::Test {
 protected:
  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }

  // `tls` is further keys of the section `server`, `more` further sections.
  void Configure(const std::string& tls, const std::string& more) const {
    std::ofstream(file("penstock.yaml"))
        << fmt::format("data_dir: {}\nserver: {{listen: '127.0.0.1:0', http_listen: ''{}}}\n{}",
                       file("data"), tls, more);
  }

  void Start() {
    daemon_ = std::make_unique<Process>(
        std::vector<std::string>{BuiltProgram("penstockd"), "--config", file("penstock.yaml")},
        folder_.path());
    target_ = daemon_->LineAfter("penstockd ready: grpc ");
    ASSERT_FALSE(target_.empty()) << daemon_->output();
  }

  size_t Count(const std::string& text) const {
    const std::string output = daemon_->output();
    size_t count = 0;
    for (size_t at = output.find(text); at != std::string::npos; at = output.find(text, at + 1)) {
      ++count;
    }
    return count;
  }

  void Copy(const std::string& from, const std::string& to) const {
    fs::copy_file(file(from), file(to), fs::copy_options::overwrite_existing);
  }

  // Makes a folder of files for one side: `name`'s certificate and key, and the authorities that it
  // trusts.
  std::string Folder(const std::string& name, const std::vector<std::string>& authorities) const {
    static std::atomic<int> number{0};
    const std::string folder = fmt::format("..{}", ++number);
    fs::create_directory(file(folder));
    Copy(name + ".crt", folder + "/tls.crt");
    Copy(name + ".key", folder + "/tls.key");
    std::ofstream bundle(file(folder + "/ca.crt"));
    for (const std::string& authority : authorities) {
      bundle << std::ifstream(file(authority + ".crt")).rdbuf();
    }
    return folder;
  }

  // Gives the daemon other files, as a mount of Kubernetes does.
  void Mount(const std::string& folder) const {
    fs::create_directory_symlink(folder, file("..new"));
    fs::rename(file("..new"), file("..data"));
  }
  void MountAndWait(const std::string& folder) const {
    constexpr char kTaken[] = "certificates were replaced: new connections use them";
    const size_t before = Count(kTaken);
    Mount(folder);
    Eventually([&] { return Count(kTaken) > before; });
  }

  // What clients use that are made from now on.
  void UseFolder(const std::string& folder) {
    std::lock_guard lock(mutex_);
    client_folder_ = file(folder);
  }
  std::unique_ptr<Provider> Client() const {
    std::string folder;
    {
      std::lock_guard lock(mutex_);
      folder = client_folder_;
    }
    return ClientOf(folder);
  }
  std::unique_ptr<Provider> ClientOf(const std::string& folder) const {
    auto db = New({.target = target_,
                   .tls = {.ca_file = folder + "/ca.crt",
                           .cert_file = folder + "/tls.crt",
                           .key_file = folder + "/tls.key"}});
    EXPECT_TRUE(db.ok()) << db.status();
    return *std::move(db);
  }

  const TempDir folder_;
  std::unique_ptr<Process> daemon_;
  std::string target_;
  mutable std::mutex mutex_;
  std::string client_folder_;
};

TEST_F(RotationTest, CertificatesAndAuthoritiesUnderLoad) {
  const std::string& path = folder_.path();
  MakeCertificate(path, "old");
  MakeCertificate(path, "new");
  MakeCertificate(path, "daemon-1", "old");
  MakeCertificate(path, "daemon-2", "old");
  MakeCertificate(path, "daemon-3", "new");
  MakeCertificate(path, "client-1", "old", "URI:spiffe://example.org/app");
  MakeCertificate(path, "client-2", "new", "URI:spiffe://example.org/app");
  Mount(Folder("daemon-1", {"old"}));
  Configure(fmt::format(", tls: {{cert_file: {0}/tls.crt, key_file: {0}/tls.key, "
                        "client_ca_file: {0}/ca.crt}}",
                        file("..data")),
            "identities:\n  app: {certificates: ['spiffe://example.org/app'], "
            "grants: [{database: main, rights: [read]}]}\n");
  Start();
  const std::string first_client = Folder("client-1", {"old"});
  UseFolder(first_client);
  const auto lasting = Client();
  Load load;
  for (int i = 0; i < 2; ++i) {
    load.Add([&] { return Select(lasting.get()); });
    load.Add([&] { return Select(Client().get()); });
  }
  load.GoOn();
  MountAndWait(Folder("daemon-2", {"old"}));
  load.GoOn();
  // Both sides trust both authorities before either shows a certificate of the new one.
  UseFolder(Folder("client-1", {"old", "new"}));
  load.GoOn();
  MountAndWait(Folder("daemon-2", {"old", "new"}));
  load.GoOn();
  MountAndWait(Folder("daemon-3", {"old", "new"}));
  load.GoOn();
  UseFolder(Folder("client-2", {"old", "new"}));
  load.GoOn();
  MountAndWait(Folder("daemon-3", {"new"}));
  UseFolder(Folder("client-2", {"new"}));
  load.GoOn();
  load.Stop();
  // The old authority opens nothing any more.
  const absl::Status old = Select(ClientOf(file(Folder("client-1", {"new"}))).get());
  EXPECT_TRUE(IsUnavailable(old)) << old;
  EXPECT_EQ(Count("cannot be used"), 0u) << daemon_->output();
}

// The key set is good for the check of the configuration, and has no key that can be used.
TEST_F(RotationTest, AReloadTakesAllOrNothing) {
  const std::string& path = folder_.path();
  MakeCertificate(path, "old");
  MakeCertificate(path, "new");
  MakeCertificate(path, "daemon-1", "old");
  MakeCertificate(path, "daemon-2", "new");
  const server::SigningKey key("P-256");
  const auto configure = [&](const std::string& certificate) {
    Configure(fmt::format(", tls: {{cert_file: {0}.crt, key_file: {0}.key}}", file(certificate)),
              fmt::format("identities:\n  app: {{jwt_subjects: [app], "
                          "grants: [{{database: main, rights: [read]}}]}}\n"
                          "jwt: {{jwks_file: {}, algorithms: [ES256], audience: penstock}}\n",
                          file("jwks.json")));
  };
  std::ofstream(file("jwks.json")) << server::KeySetText({key.Jwk()});
  configure("daemon-1");
  Start();
  // Tells whether the daemon shows a certificate of the authority: it asks for a token then.
  const auto shows = [&](const std::string& authority) {
    auto db = New({.target = target_, .tls = {.ca_file = file(authority + ".crt")}});
    EXPECT_TRUE(db.ok()) << db.status();
    const absl::Status status = Select(db->get());
    EXPECT_TRUE(absl::IsUnauthenticated(status) || IsUnavailable(status)) << status;
    return absl::IsUnauthenticated(status);
  };
  EXPECT_TRUE(shows("old"));
  std::ofstream(file("jwks.json")) << R"({"keys": []})";
  configure("daemon-2");
  daemon_->Signal(SIGHUP);
  ASSERT_TRUE(daemon_->WaitForOutput("the configuration was not reloaded")) << daemon_->output();
  EXPECT_TRUE(shows("old"));
  EXPECT_FALSE(shows("new"));
  std::ofstream(file("jwks.json")) << server::KeySetText({key.Jwk()});
  daemon_->Signal(SIGHUP);
  ASSERT_TRUE(daemon_->WaitForOutput("INFO reloaded")) << daemon_->output();
  EXPECT_TRUE(shows("new"));
}

TEST_F(RotationTest, KeysOfTokensUnderLoad) {
  const server::SigningKey keys[] = {server::SigningKey("P-256"), server::SigningKey("P-256")};
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(file("fresh")) << text;
    fs::permissions(file("fresh"), fs::perms(0600));
    fs::rename(file("fresh"), file(name));
  };
  const auto publish = [&](const std::vector<int>& which) {
    std::vector<server::Members> set;
    for (const int key : which) {
      set.push_back(keys[key].Jwk({{"kid", fmt::format("\"{}\"", key)}}));
    }
    write("jwks.json", server::KeySetText(set));
  };
  // Each token is another one.
  int number = 0;
  const auto token = [&](int key) {
    const std::string message =
        fmt::format("{}.{}",
                    server::Base64Url(
                        server::Json({{"alg", R"("ES256")"}, {"kid", fmt::format("\"{}\"", key)}})),
                    server::Base64Url(server::Json({{"sub", R"("app")"},
                                                    {"aud", R"("penstock")"},
                                                    {"jti", fmt::format("\"{}\"", ++number)},
                                                    {"nbf", "1000000000"},
                                                    {"exp", "4000000000"}})));
    return fmt::format("{}.{}", message, server::Base64Url(keys[key].Sign("ES256", message)));
  };
  publish({0});
  write("token", token(0));
  write("old-token", token(0));
  Configure("", fmt::format("identities:\n  app: {{jwt_subjects: [app], "
                            "grants: [{{database: main, rights: [read]}}]}}\n"
                            "jwt: {{jwks_file: {}, algorithms: [ES256], audience: penstock}}\n",
                            file("jwks.json")));
  Start();
  const auto client = [&](const std::string& name) {
    auto db = New({.target = target_, .token_file = file(name)});
    EXPECT_TRUE(db.ok()) << db.status();
    return *std::move(db);
  };
  const auto lasting = client("token");
  Load load;
  for (int i = 0; i < 2; ++i) {
    load.Add([&] { return Select(lasting.get()); });
    load.Add([&] { return Select(client("token").get()); });
  }
  load.GoOn();
  publish({0, 1});
  load.GoOn();
  // A new key that the daemon has not looked for yet.
  write("token", token(1));
  load.GoOn();
  for (int i = 0; i < 20; ++i) {
    write("token", token(i % 2));
    load.GoOn();
  }
  write("token", token(1));
  // The client that lasts looks at its file once a second.
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(1500);
  Eventually([&] { return std::chrono::steady_clock::now() > until; });
  load.GoOn();
  publish({1});
  Eventually([&] { return absl::IsUnauthenticated(Select(client("old-token").get())); });
  load.GoOn();
  load.Stop();
}

}  // namespace
}  // namespace penstock::testing
