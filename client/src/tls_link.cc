#include "client/src/tls_link.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <memory>
#include <string_view>

#include "client/src/format.h"
#include "client/src/tcp_link.h"

namespace penstock::internal {
namespace {

template <typename T, void (*kFree)(T*)>
struct Freed {
  void operator()(T* owned) const { kFree(owned); }
};
using Context = std::unique_ptr<SSL_CTX, Freed<SSL_CTX, SSL_CTX_free>>;
using Link = std::unique_ptr<SSL, Freed<SSL, SSL_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;

// Returns the reason of OpenSSL's first error, and clears all errors.
std::string TakeError() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  const char* reason = error == 0 ? nullptr : ERR_reason_error_string(error);
  return reason == nullptr ? "" : reason;
}

absl::Status Unsuitable(const std::string& file, std::string_view what) {
  const std::string why = TakeError();
  return absl::InvalidArgumentError(
      internal::Format("{} {}{}{}", file, what, why.empty() ? "" : ": ", why));
}

absl::Status Load(const TlsConfig& tls, SSL_CTX* context) {
  ERR_clear_error();
  if (!tls.ca_file.empty() && SSL_CTX_load_verify_file(context, tls.ca_file.c_str()) != 1) {
    return Unsuitable(tls.ca_file, "has no certificate of an authority in PEM form");
  }
  if (tls.cert_file.empty()) return absl::OkStatus();
  if (SSL_CTX_use_certificate_chain_file(context, tls.cert_file.c_str()) != 1) {
    return Unsuitable(tls.cert_file, "has no certificate in PEM form");
  }
  const bool mismatch =
      SSL_CTX_use_PrivateKey_file(context, tls.key_file.c_str(), SSL_FILETYPE_PEM) != 1;
  if (mismatch)
    return Unsuitable(tls.key_file, "is not the key of " + tls.cert_file + " in PEM form");
  return absl::OkStatus();
}

std::string OneLine(const X509_NAME* name) {
  char text[256];
  return X509_NAME_oneline(name, text, sizeof(text)) == nullptr ? "" : text;
}

// Makes OpenSSL check the certificate for the name that gRPC checks it for. The handshake continues
// even if the check fails.
void ExpectHost(const std::string& host, SSL* link) {
  SSL_set_tlsext_host_name(link, host.c_str());
  X509_VERIFY_PARAM* wanted = SSL_get0_param(link);
  if (X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) != 1) {
    X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size());
  }
}

// Describes what is wrong with the daemon's certificate; empty if nothing is.
std::string WrongCertificate(const Config& config, const std::string& host, SSL* link) {
  const long result = SSL_get_verify_result(link);
  const Certificate shown(SSL_get1_peer_certificate(link));
  if (result == X509_V_OK || shown == nullptr) return "";
  const std::string subject = OneLine(X509_get_subject_name(shown.get()));
  if (result == X509_V_ERR_HOSTNAME_MISMATCH || result == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return internal::Format("the certificate of {} ({}) is not valid for the name {}",
                            config.target, subject, host);
  }
  const std::string known = config.tls.ca_file.empty() ? "known here" : "in " + config.tls.ca_file;
  if (result == X509_V_ERR_CERT_HAS_EXPIRED || result == X509_V_ERR_CERT_NOT_YET_VALID) {
    return internal::Format("the certificate of {} ({}): {}", config.target, subject,
                            X509_verify_cert_error_string(result));
  }
  return internal::Format(
      "the certificate of {} ({}, issued by {}) is not from an authority {}: {}", config.target,
      subject, OneLine(X509_get_issuer_name(shown.get())), known,
      X509_verify_cert_error_string(result));
}

// Explains why the daemon has closed a connection after it had asked for the client's certificate.
std::string WrongClient(const Config& config, SSL* link) {
  if (config.tls.cert_file.empty()) {
    return internal::Format("{} requires a client certificate, but none was given", config.target);
  }
  const X509* ours = SSL_get_certificate(link);
  if (X509_cmp_current_time(X509_get0_notAfter(ours)) < 0) {
    return internal::Format("{} has expired", config.tls.cert_file);
  }
  return internal::Format("{} refuses the certificate {}, issued by {}", config.target,
                          config.tls.cert_file, OneLine(X509_get_issuer_name(ours)));
}

// OpenSSL writes to a socket whose peer may have gone. Keeps the resulting SIGPIPE from the
// program.
class WithoutSigpipe {
 public:
  WithoutSigpipe() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  ~WithoutSigpipe() {
    const timespec now = {};
    const bool theirs = sigismember(&before_, SIGPIPE) == 1;
    if (!theirs) sigtimedwait(&pipe_, nullptr, &now);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  WithoutSigpipe(const WithoutSigpipe&) = delete;
  WithoutSigpipe& operator=(const WithoutSigpipe&) = delete;

 private:
  sigset_t pipe_;
  sigset_t before_;
};

int NoteThatItAsked(SSL*, void* asked) {
  *static_cast<bool*>(asked) = true;
  return 1;
}

// Makes a TLS handshake over `fd` and describes what goes wrong.
std::string Shake(const Config& config, const std::string& host, int fd, SSL_CTX* context) {
  bool asked = false;
  SSL_CTX_set_cert_cb(context, NoteThatItAsked, &asked);
  const Link link(SSL_new(context));
  SSL_set_fd(link.get(), fd);
  ExpectHost(host, link.get());
  ERR_clear_error();
  const bool connected = SSL_connect(link.get()) == 1;
  if (!connected && !asked) {
    const std::string why = TakeError();
    // Without an error of OpenSSL, the handshake may have ended for a reason other than TLS.
    if (why.empty() || !config.tls.enabled()) return "";
    return why == "wrong version number"
               ? internal::Format("{} does not use TLS", config.target)
               : internal::Format("TLS with {} failed: {}", config.target, why);
  }
  if (!config.tls.enabled())
    return internal::Format("{} uses TLS, but plain text was sent", config.target);
  std::string wrong = WrongCertificate(config, host, link.get());
  if (!wrong.empty()) return wrong;
  // In TLS 1.3 the daemon checks the client's certificate after the client's handshake is done. It
  // then either sends the beginning of HTTP/2 or closes the connection.
  char first = 0;
  const bool accepted = connected && SSL_read(link.get(), &first, 1) == 1;
  return accepted || !asked ? "" : WrongClient(config, link.get());
}

}  // namespace

void KeepOpenSslToTheEnd() { OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, nullptr); }

absl::Status CheckTlsFiles(const TlsConfig& tls) {
  const Context context(SSL_CTX_new(TLS_client_method()));
  return Load(tls, context.get());
}

std::string ExplainTlsFailure(const Config& config, absl::Duration limit) {
  const HostAndPort address = ParseHostAndPort(config.target);
  if (address.port.empty()) return "";
  const Context context(SSL_CTX_new(TLS_client_method()));
  if (!Load(config.tls, context.get()).ok()) return "";
  if (config.tls.ca_file.empty()) SSL_CTX_set_default_verify_paths(context.get());
  static constexpr unsigned char kHttp2[] = {2, 'h', '2'};
  SSL_CTX_set_alpn_protos(context.get(), kHttp2, sizeof(kHttp2));
  const WithoutSigpipe quiet;
  const int fd = ConnectTcp(address, limit);
  if (fd < 0) return "";
  std::string found = Shake(config, address.host, fd, context.get());
  close(fd);
  return found;
}

}  // namespace penstock::internal
