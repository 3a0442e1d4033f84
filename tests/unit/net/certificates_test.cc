// The daemon's certificates while their files are replaced.
#include "server/net/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/log/log.h"
#include "tests/support/temp_dir.h"

namespace penstock::server {
namespace {

using std::chrono::hours;
using ::testing::HasSubstr;
using ::testing::Not;

const TlsFiles::Time kNow = std::chrono::system_clock::now();

// A self-signed certificate and its key, in PEM.
struct Pair {
  std::string certificate;
  std::string key;
};

template <typename Write>
std::string Pem(Write write) {
  const std::unique_ptr<BIO, int (*)(BIO*)> out(BIO_new(BIO_s_mem()), &BIO_free);
  write(out.get());
  char* text = nullptr;
  const long size = BIO_get_mem_data(out.get(), &text);
  return {text, static_cast<size_t>(size)};
}

Pair Make(hours until = hours(24 * 365)) {
  const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key(
      EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free);
  const std::unique_ptr<X509, void (*)(X509*)> certificate(X509_new(), &X509_free);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()),
                  std::chrono::duration_cast<std::chrono::seconds>(until).count());
  X509_set_pubkey(certificate.get(), key.get());
  EXPECT_GT(X509_sign(certificate.get(), key.get(), nullptr), 0);
  return {.certificate = Pem([&](BIO* out) { PEM_write_bio_X509(out, certificate.get()); }),
          .key = Pem([&](BIO* out) {
            PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
          })};
}

class CertificatesTest : public ::testing::Test {
 protected:
  CertificatesTest() {
    config_ = {.cert_file = Path("crt"), .key_file = Path("key"), .client_ca_file = Path("ca")};
    Put(first_);
    Write("ca", authority_.certificate);
    absl::StatusOr<std::shared_ptr<const TlsFiles>> files = Certificates::Read(config_);
    EXPECT_TRUE(files.ok()) << files.status();
    certificates_ = std::make_unique<Certificates>(config_, *std::move(files));
  }

  std::string Path(const std::string& name) const { return folder_.path() + "/" + name; }

  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(Path(name), std::ios::binary) << text;
  }
  void Put(const Pair& pair) const {
    Write("crt", pair.certificate);
    Write("key", pair.key);
  }

  // The certificate in use after a look.
  std::string Look() {
    certificates_->Look(kNow);
    return certificates_->Latest()->certificate;
  }

  const testing::TempDir folder_;
  const Pair first_ = Make();
  const Pair second_ = Make();
  const Pair authority_ = Make();
  TlsConfig config_;
  std::unique_ptr<Certificates> certificates_;
};

TEST_F(CertificatesTest, FilesThatAreReplacedAreTaken) {
  const auto before = certificates_->Latest();
  EXPECT_EQ(Look(), first_.certificate);
  EXPECT_EQ(certificates_->Latest(), before) << "nothing has changed";
  Put(second_);
  EXPECT_EQ(Look(), second_.certificate);
  EXPECT_EQ(certificates_->Latest()->key, second_.key);
  const Pair other = Make();
  Write("ca", authority_.certificate + other.certificate);
  Look();
  EXPECT_EQ(certificates_->Latest()->authority, authority_.certificate + other.certificate);
  EXPECT_FALSE(certificates_->has_problem());
}

// As Kubernetes replaces the content of a mount: `..data` leads to another folder at once.
TEST_F(CertificatesTest, ALinkThatLeadsElsewhereIsFollowed) {
  const auto mount = [&](const std::string& folder, const Pair& pair) {
    std::filesystem::create_directory(Path(folder));
    Write(folder + "/tls.crt", pair.certificate);
    Write(folder + "/tls.key", pair.key);
    std::filesystem::create_symlink(folder, Path("..new"));
    std::filesystem::rename(Path("..new"), Path("..data"));
  };
  mount("..1", first_);
  for (const std::string name : {"tls.crt", "tls.key"}) {
    std::filesystem::create_symlink("..data/" + name, Path(name));
  }
  const TlsConfig mounted{.cert_file = Path("tls.crt"), .key_file = Path("tls.key")};
  certificates_->Take(mounted, *Certificates::Read(mounted));
  EXPECT_EQ(Look(), first_.certificate);
  EXPECT_EQ(certificates_->Latest()->authority, "");
  mount("..2", second_);
  EXPECT_EQ(Look(), second_.certificate);
}

TEST_F(CertificatesTest, FilesThatAreNotGoodLeaveTheLastOnes) {
  const std::string half = second_.certificate.substr(0, second_.certificate.size() / 2);
  const auto is_refused = [&] {
    const bool kept = Look() == first_.certificate;
    return kept && certificates_->Latest()->authority == authority_.certificate &&
           certificates_->has_problem();
  };
  for (const std::string& wrong : {std::string(), std::string("nothing"), half, second_.certificate,
                                   first_.certificate + half}) {
    Write("crt", wrong);
    EXPECT_TRUE(is_refused()) << wrong;
  }
  std::filesystem::remove(Path("crt"));
  EXPECT_TRUE(is_refused());
  Put(Make(hours(-1) / 2));
  EXPECT_TRUE(is_refused()) << "expired";
  Put(first_);
  Look();
  EXPECT_FALSE(certificates_->has_problem());
  Write("ca", half);
  EXPECT_TRUE(is_refused());
  // The certificate waits for the authority: the set is one.
  Put(second_);
  EXPECT_TRUE(is_refused());
  Write("ca", authority_.certificate);
  EXPECT_EQ(Look(), second_.certificate);
  EXPECT_FALSE(certificates_->has_problem());
}

// What is logged meanwhile.
template <typename Work>
std::string LogOf(Work work) {
  ::testing::internal::CaptureStderr();
  work();
  FlushLog(std::chrono::seconds(10));
  return ::testing::internal::GetCapturedStderr();
}

int LinesIn(const std::string& log) {
  return static_cast<int>(std::count(log.begin(), log.end(), '\n'));
}

TEST_F(CertificatesTest, AProblemIsLoggedOnce) {
  EXPECT_EQ(LogOf([&] { Look(); }), "");
  Write("crt", "nothing");
  const std::string first = LogOf([&] {
    Look();
    Look();
  });
  EXPECT_EQ(LinesIn(first), 1) << first;
  EXPECT_THAT(first, HasSubstr("WARN new certificates cannot be used, the old ones stay reason="));
  std::filesystem::remove(Path("crt"));
  EXPECT_EQ(LinesIn(LogOf([&] { Look(); })), 1) << "another problem";
  Write("crt", first_.certificate);
  EXPECT_EQ(LogOf([&] { Look(); }), "");
  std::filesystem::remove(Path("crt"));
  EXPECT_EQ(LinesIn(LogOf([&] { Look(); })), 1) << "again";
}

TEST_F(CertificatesTest, WhatExpiresSoonIsLoggedOnceADay) {
  const auto look = [&](hours later) { return LogOf([&] { certificates_->Look(kNow + later); }); };
  Put(Make(hours(15 * 24)));
  EXPECT_THAT(look(hours(0)), Not(HasSubstr("expires soon")));
  const std::string warning = look(hours(2 * 24));
  EXPECT_THAT(warning, HasSubstr("WARN a certificate expires soon; replace it key=cert_file"));
  EXPECT_EQ(LinesIn(warning), 1) << warning;
  EXPECT_EQ(look(hours(2 * 24 + 23)), "");
  EXPECT_EQ(LinesIn(look(hours(3 * 24 + 1))), 1);
  Put(first_);
  EXPECT_THAT(look(hours(3 * 24 + 2)), Not(HasSubstr("expires soon")));
  EXPECT_EQ(look(hours(5 * 24)), "");
}

TEST_F(CertificatesTest, EachWrongFileHasALine) {
  Write("crt", second_.certificate);
  std::filesystem::remove(Path("ca"));
  const std::string lines(Certificates::Read(config_).status().message());
  EXPECT_THAT(lines, HasSubstr("\nserver.tls.key_file: '" + Path("key") +
                               "' is not the key of the certificate in cert_file; "));
  EXPECT_THAT(lines, HasSubstr("server.tls.client_ca_file: '" + Path("ca") +
                               "' cannot be read: No such file or directory; "));
}

TEST_F(CertificatesTest, TheFirstToExpireOfAFileCounts) {
  const auto in = [](TlsFiles::Time time) {
    return std::chrono::round<hours>(time - std::chrono::system_clock::now());
  };
  Put(Make(hours(1000)));
  Write("ca", Make(hours(3000)).certificate + Make(hours(2000)).certificate);
  Look();
  EXPECT_EQ(in(certificates_->Latest()->certificate_expires), hours(1000));
  EXPECT_EQ(in(certificates_->Latest()->authority_expires), hours(2000));
}

}  // namespace
}  // namespace penstock::server
