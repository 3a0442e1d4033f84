#include "server/rpc/credentials.h"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

#include "absl/status/statusor.h"
#include "fmt/format.h"
#include "grpc/grpc.h"

namespace penstock::server {
namespace {

absl::Status ReadFile(const std::string& path, std::string* out) {
  out->clear();
  if (path.empty()) return absl::OkStatus();
  std::ifstream file(path, std::ios::binary);
  if (!file) return absl::NotFoundError(fmt::format("cannot read {}: {}", path, strerror(errno)));
  out->assign(std::istreambuf_iterator<char>(file), {});
  return absl::OkStatus();
}

// The C++ API has no credentials that ask for certificates at each handshake; the C API
// has.
class FetchingCredentials final : public grpc::ServerCredentials {
 public:
  FetchingCredentials(std::shared_ptr<ReloadableTls> tls,
                      grpc_ssl_client_certificate_request_type request)
      : tls_(std::move(tls)),
        credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                request, &FetchingCredentials::Fetch, this))) {}
  ~FetchingCredentials() override { grpc_server_credentials_release(credentials_); }

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  // gRPC calls it at each handshake, one at a time.
  static grpc_ssl_certificate_config_reload_status Fetch(void* self,
                                                         grpc_ssl_server_certificate_config** out) {
    auto* const credentials = static_cast<FetchingCredentials*>(self);
    return credentials->tls_->Fetch(&credentials->seen_, out);
  }

  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  const std::shared_ptr<ReloadableTls> tls_;
  uint64_t seen_ = 0;
  grpc_server_credentials* const credentials_;
};

}  // namespace

absl::Status ReloadableTls::Load(const TlsConfig& config) {
  std::string key;
  std::string certificate;
  std::string authority;
  absl::Status read = ReadFile(config.key_file, &key);
  if (read.ok()) read = ReadFile(config.cert_file, &certificate);
  if (read.ok()) read = ReadFile(config.client_ca_file, &authority);
  if (!read.ok()) return read;
  std::lock_guard lock(mutex_);
  key_ = std::move(key);
  certificate_ = std::move(certificate);
  authority_ = std::move(authority);
  requires_clients_ = config.require_client_cert;
  ++generation_;
  return absl::OkStatus();
}

grpc_ssl_certificate_config_reload_status ReloadableTls::Fetch(
    uint64_t* seen, grpc_ssl_server_certificate_config** out) {
  std::lock_guard lock(mutex_);
  if (*seen == generation_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  const grpc_ssl_pem_key_cert_pair pair{.private_key = key_.c_str(),
                                        .cert_chain = certificate_.c_str()};
  // gRPC wants an authority also where no client is asked for a certificate.
  const std::string& authority = authority_.empty() ? certificate_ : authority_;
  *out = grpc_ssl_server_certificate_config_create(authority.c_str(), &pair, 1);
  if (*out == nullptr) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
  *seen = generation_;
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

std::shared_ptr<grpc::ServerCredentials> ReloadableTls::Credentials(
    std::shared_ptr<ReloadableTls> tls) {
  const auto request = tls->authority_.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                       : tls->requires_clients_
                           ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                           : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY;
  return std::make_shared<FetchingCredentials>(std::move(tls), request);
}

}  // namespace penstock::server
