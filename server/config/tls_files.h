// The files of `server.tls`.
#ifndef PENSTOCK_SERVER_CONFIG_TLS_FILES_H_
#define PENSTOCK_SERVER_CONFIG_TLS_FILES_H_

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "server/config/config.h"
#include "text/wipe.h"

namespace penstock::server {

// What the files hold, as PEM: the key is the certificate's. It wipes them when it ends.
struct TlsFiles {
  using Time = std::chrono::system_clock::time_point;

  TlsFiles() = default;
  ~TlsFiles() {
    // One file may hold both.
    Wipe(&certificate);
    Wipe(&key);
  }
  TlsFiles(const TlsFiles&) = delete;
  TlsFiles& operator=(const TlsFiles&) = delete;

  bool HasSameText(const TlsFiles& other) const {
    return certificate == other.certificate && key == other.key && authority == other.authority;
  }

  std::string certificate;
  std::string key;
  // Empty without client_ca_file.
  std::string authority;
  // When the first certificate of each file that expires does so.
  Time certificate_expires = Time::max();
  Time authority_expires = Time::max();
};

// What is wrong with a file.
struct TlsProblem {
  // The key that names it, as in "cert_file".
  std::string key;
  // "'server.crt' has expired; put …"
  std::string text;
};

// Reads the files that `config` names, and tries them: the certificates and the key can be read,
// the certificates are valid now, and the key is the certificate's. gRPC would only fail to shake
// hands, and not say why. Returns null after it has added every problem to `problems`; a file that
// is not named is none.
std::shared_ptr<const TlsFiles> ReadTlsFiles(const TlsConfig& config,
                                             std::vector<TlsProblem>* problems);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_TLS_FILES_H_
