#include "server/rpc/credentials.h"

#include <string>

#include "grpc/grpc.h"
#include "grpc/grpc_security.h"

namespace penstock::server {
namespace {

// The C++ API has no credentials that ask for certificates at each handshake; the C API
// has.
class FetchingCredentials final : public grpc::ServerCredentials {
 public:
  FetchingCredentials(const Certificates* certificates,
                      grpc_ssl_client_certificate_request_type request)
      : certificates_(certificates),
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
    const std::shared_ptr<const TlsFiles> latest = credentials->certificates_->Latest();
    if (credentials->seen_ == latest) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const grpc_ssl_pem_key_cert_pair pair{.private_key = latest->key.c_str(),
                                          .cert_chain = latest->certificate.c_str()};
    // gRPC wants an authority also where no client is asked for a certificate.
    const std::string& authority =
        latest->authority.empty() ? latest->certificate : latest->authority;
    *out = grpc_ssl_server_certificate_config_create(authority.c_str(), &pair, 1);
    if (*out == nullptr) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_FAIL;
    credentials->seen_ = latest;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  const Certificates* const certificates_;
  std::shared_ptr<const TlsFiles> seen_;
  grpc_server_credentials* const credentials_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> FollowingCredentials(const TlsConfig& config,
                                                              const Certificates* certificates) {
  const auto request = config.client_ca_file.empty() ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                       : config.require_client_cert
                           ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                           : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY;
  return std::make_shared<FetchingCredentials>(certificates, request);
}

}  // namespace penstock::server
