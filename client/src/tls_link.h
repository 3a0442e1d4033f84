// Checks and explains TLS where gRPC reports too little.
#ifndef PENSTOCK_CLIENT_SRC_TLS_LINK_H_
#define PENSTOCK_CLIENT_SRC_TLS_LINK_H_

#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "penstock/config.h"

namespace penstock::internal {

// Keeps OpenSSL from destroying its global state when the process exits, because gRPC's threads may
// still use it then. Must be called before anything else uses OpenSSL in the process; otherwise it
// has no effect. Thread-safe.
void KeepOpenSslToTheEnd();

// Checks that the files of `tls` have certificates of authorities, a certificate, and its private
// key. INVALID_ARGUMENT names the file that is wrong, but nothing of its content.
absl::Status CheckTlsFiles(const TlsConfig& tls);

// Explains why TLS with `config.target` fails, by making a connection of its own, over which it
// sends nothing. Each of its steps, four at most, takes up to `limit`. Returns for example "the
// certificate of h:1 is not of an authority in ca.pem: …" or "h:1 demands a client's certificate,
// and none is given"; empty if nothing is wrong with TLS or nothing could be found out. Blocks;
// thread-safe.
std::string ExplainTlsFailure(const Config& config, absl::Duration limit);

}  // namespace penstock::internal

#endif  // PENSTOCK_CLIENT_SRC_TLS_LINK_H_
