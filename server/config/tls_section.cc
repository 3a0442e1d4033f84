#include "server/config/tls_section.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "fmt/format.h"
#include "server/config/file.h"
#include "server/config/keys.h"
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

struct PemFile {
  Setting name;
  std::string content;
};

// Returns the named file, or nothing if the key is not there or the problem has been told.
std::optional<PemFile> ReadPemFile(YamlMap* map, const std::string& key, std::string* out,
                                   Problems* problems) {
  const std::optional<Setting> setting = map->Text(key);
  if (!setting) return std::nullopt;
  *out = setting->value;
  absl::StatusOr<std::string> content = ReadSmallFile(setting->value, kLargestTlsFile);
  if (!content.ok()) {
    problems->Add(setting->where,
                  fmt::format("{} cannot be read: {}; name a PEM file that this user can read",
                              Quoted(setting->value), std::string(content.status().message())));
    return std::nullopt;
  }
  if (content->find("-----BEGIN ") == std::string::npos) {
    problems->Add(setting->where, fmt::format("{} contains nothing in PEM form; name a PEM file",
                                              Quoted(setting->value)));
    return std::nullopt;
  }
  return PemFile{*setting, *std::move(content)};
}

Bio Open(const PemFile& file) {
  return Bio(BIO_new_mem_buf(file.content.data(), static_cast<int>(file.content.size())));
}

// Tells when clients and we may trust the certificate.
void CheckTime(const PemFile& file, const X509* certificate, Problems* problems) {
  const auto add = [&](std::string_view what) {
    problems->Add(file.name.where, fmt::format("{} {}; put a certificate there that is valid now",
                                               Quoted(file.name.value), what));
  };
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) add("has expired");
  if (X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0) add("is not valid yet");
}

// Returns the first certificate of the file, or null if the problem has been told.
Certificate ReadCertificate(const PemFile& file, Problems* problems) {
  Certificate certificate(PEM_read_bio_X509(Open(file).get(), nullptr, nullptr, nullptr));
  if (certificate == nullptr) {
    problems->Add(
        file.name.where,
        fmt::format("{} contains no readable certificate; name a PEM file with a CERTIFICATE block",
                    Quoted(file.name.value)));
    return certificate;
  }
  CheckTime(file, certificate.get(), problems);
  return certificate;
}

PrivateKey ReadPrivateKey(const PemFile& file, Problems* problems) {
  // OpenSSL's own callback would ask for a password at the terminal.
  const auto no_password = [](char*, int, int, void*) { return -1; };
  PrivateKey key(PEM_read_bio_PrivateKey(Open(file).get(), nullptr, no_password, nullptr));
  if (key == nullptr) {
    problems->Add(file.name.where, fmt::format("{} contains no readable private key; name a PEM "
                                               "file with a PRIVATE KEY block and no password",
                                               Quoted(file.name.value)));
  }
  return key;
}

void CheckClients(const YamlMap& map, const TlsConfig& tls, Problems* problems) {
  const char* const key = "require_client_cert";
  if (!map.Has(key) || !tls.require_client_cert || map.Has("client_ca_file")) return;
  problems->Add(map.WhereIs(key),
                "needs the authority of client certificates; name it in client_ca_file, or remove "
                "the key");
}

}  // namespace

void ReadTls(YamlMap map, TlsConfig* tls, Problems* problems) {
  ReadKeys(TlsKeys(), &map, tls);
  const auto certificate_file = ReadPemFile(&map, "cert_file", &tls->cert_file, problems);
  const auto key_file = ReadPemFile(&map, "key_file", &tls->key_file, problems);
  const auto authority = ReadPemFile(&map, "client_ca_file", &tls->client_ca_file, problems);
  map.Finish();
  CheckClients(map, *tls, problems);
  for (const char* key : {"cert_file", "key_file"}) {
    if (map.Has(key)) continue;
    problems->Add(map.WhereIs(key),
                  fmt::format("has no {}; TLS needs both cert_file and key_file", key));
  }
  const Certificate certificate =
      certificate_file ? ReadCertificate(*certificate_file, problems) : nullptr;
  const PrivateKey key = key_file ? ReadPrivateKey(*key_file, problems) : nullptr;
  if (certificate != nullptr && key != nullptr &&
      X509_check_private_key(certificate.get(), key.get()) != 1) {
    problems->Add(key_file->name.where,
                  fmt::format("{} is not the key of the certificate in cert_file; name two files "
                              "that belong together",
                              Quoted(key_file->name.value)));
  }
  if (authority) ReadCertificate(*authority, problems);
  // The mistakes have been told; gRPC's use of OpenSSL begins with no error left.
  ERR_clear_error();
}

}  // namespace penstock::server
