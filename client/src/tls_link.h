// TLS, where gRPC does not say enough of it.
#ifndef PENSTOCK_CLIENT_SRC_TLS_LINK_H_
#define PENSTOCK_CLIENT_SRC_TLS_LINK_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "penstock/config.h"

namespace penstock::internal {

// Keeps OpenSSL from taking its global state away when the process exits: gRPC has threads
// that may use it then. To be called before anything uses OpenSSL; what came first in the
// process has its way. Thread-safe.
void KeepOpenSslToTheEnd();

// Whether the files of `tls` serve: authorities that can be read, a certificate, and a key
// that is its own. INVALID_ARGUMENT that names the file; of what is in it nothing is told.
absl::Status CheckTlsFiles(const TlsConfig& tls);

// Why a link to `config.target` fails, where it is TLS that fails: makes one by itself,
// sends nothing over it, and closes it. Each of its steps, four at most, has `limit`. "the
// certificate of h:1 is not of an authority in ca.pem: …", "h:1 demands a client's certificate, and
// none is given"; empty if nothing is wrong with TLS, or nothing can be told. Blocks; thread-safe.
std::string ExplainTlsFailure(const Config& config, absl::Duration limit);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_TLS_LINK_H_
