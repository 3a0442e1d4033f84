#include "server/config/tls_files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <algorithm>
#include <ctime>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "server/config/file.h"
#include "server/config/words.h"

namespace penstock::server {
namespace {

constexpr size_t kLargestTlsFile = size_t{1} << 20;

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Bio = std::unique_ptr<BIO, Free>;
using Certificate = std::unique_ptr<X509, Free>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Free>;

// One of the files.
class PemFile {
 public:
  PemFile(const char* key, const std::string& path, std::vector<TlsProblem>* problems)
      : key_(key), path_(path), problems_(problems) {}

  // Reads the file into `text`. Returns false if none is named, or the problem has been told.
  bool Read(std::string* text) const;
  // Reads the certificates, sets when the first of them expires, and tells the problem if the one
  // that stands first is not valid now. Returns that one, or null if it cannot be read.
  Certificate ReadCertificates(const std::string& text, TlsFiles::Time* expires) const;
  // Returns null if the problem has been told.
  PrivateKey ReadPrivateKey(const std::string& text) const;

  void Add(std::string_view what) const {
    problems_->push_back({key_, fmt::format("{} {}", Quoted(path_), what)});
  }

 private:
  // Tells the problem if clients and we may not trust the certificate now.
  void CheckTime(const X509* certificate) const;

  const char* const key_;
  const std::string& path_;
  std::vector<TlsProblem>* const problems_;
};

Bio Open(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

TlsFiles::Time ExpiryOf(const X509* certificate) {
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return TlsFiles::Time::max();
  return std::chrono::system_clock::from_time_t(timegm(&end));
}

// Tells whether the reader has come to the end, and not to a block that it cannot read.
bool IsAtEnd() { return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE; }

bool PemFile::Read(std::string* text) const {
  if (path_.empty()) return false;
  absl::StatusOr<std::string> content = ReadSmallFile(path_, kLargestTlsFile);
  if (!content.ok()) {
    Add(fmt::format("cannot be read: {}; name a PEM file that this user can read",
                    std::string(content.status().message())));
    return false;
  }
  if (content->find("-----BEGIN ") == std::string::npos) {
    Add("contains nothing in PEM form; name a PEM file");
    return false;
  }
  *text = *content;
  Wipe(&*content);
  return true;
}

void PemFile::CheckTime(const X509* certificate) const {
  constexpr std::string_view kAdvice = "; put a certificate there that is valid now";
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    Add(fmt::format("has expired{}", kAdvice));
  }
  if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) {
    Add(fmt::format("is not valid yet{}", kAdvice));
  }
}

Certificate PemFile::ReadCertificates(const std::string& text, TlsFiles::Time* expires) const {
  const Bio bio = Open(text);
  Certificate first(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  if (first == nullptr) {
    Add("contains no readable certificate; name a PEM file with a CERTIFICATE block");
    return nullptr;
  }
  *expires = ExpiryOf(first.get());
  while (const Certificate next{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    *expires = std::min(*expires, ExpiryOf(next.get()));
  }
  if (!IsAtEnd()) {
    Add("has a certificate behind the first that cannot be read; write the file anew");
    return nullptr;
  }
  CheckTime(first.get());
  return first;
}

PrivateKey PemFile::ReadPrivateKey(const std::string& text) const {
  // OpenSSL's own callback would ask for a password at the terminal.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  PrivateKey key(PEM_read_bio_PrivateKey(Open(text).get(), nullptr, no_password, nullptr));
  if (key == nullptr) {
    Add("contains no readable private key; name a PEM file with a PRIVATE KEY block and no "
        "password");
  }
  return key;
}

}  // namespace

std::shared_ptr<const TlsFiles> ReadTlsFiles(const TlsConfig& config,
                                             std::vector<TlsProblem>* problems) {
  const size_t before = problems->size();
  auto files = std::make_shared<TlsFiles>();
  const PemFile certificate_file("cert_file", config.cert_file, problems);
  const PemFile key_file("key_file", config.key_file, problems);
  const PemFile authority_file("client_ca_file", config.client_ca_file, problems);
  const bool has_certificate = certificate_file.Read(&files->certificate);
  const bool has_key = key_file.Read(&files->key);
  const bool has_authority = authority_file.Read(&files->authority);
  const Certificate certificate =
      has_certificate
          ? certificate_file.ReadCertificates(files->certificate, &files->certificate_expires)
          : nullptr;
  const PrivateKey key = has_key ? key_file.ReadPrivateKey(files->key) : nullptr;
  if (certificate != nullptr && key != nullptr &&
      X509_check_private_key(certificate.get(), key.get()) != 1) {
    key_file.Add(
        "is not the key of the certificate in cert_file; name two files that belong together");
  }
  if (has_authority) authority_file.ReadCertificates(files->authority, &files->authority_expires);
  // The mistakes have been told; gRPC's use of OpenSSL begins with no error left.
  ERR_clear_error();
  return problems->size() == before ? files : nullptr;
}

}  // namespace penstock::server
