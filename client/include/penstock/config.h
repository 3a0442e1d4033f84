// The configuration of a Provider.
#ifndef PENSTOCK_CONFIG_H_
#define PENSTOCK_CONFIG_H_

#include <cstddef>
#include <string>

#include "absl/time/time.h"

namespace penstock {

// PEM files, which New reads once. If all are empty the connection is not encrypted, which is
// right for a unix socket and for loopback.
struct TlsConfig {
  // The certificate authorities that may have signed the daemon's certificate. Empty, while the
  // other two are set, means those of the system.
  std::string ca_file = {};
  // This client's certificate and its private key, for a daemon that asks for them. Set both or
  // neither.
  std::string cert_file = {};
  std::string key_file = {};

  bool enabled() const { return !ca_file.empty() || !cert_file.empty() || !key_file.empty(); }
};

// The arguments of New.
struct Config {
  // "host:port", "[address]:port", or "unix:/path" with a path of at most 107 bytes.
  std::string target = "127.0.0.1:7420";
  // The name of a database in the daemon's configuration. Empty means the daemon's default.
  std::string database = {};
  TlsConfig tls = {};
  // A bearer token, which proves to the daemon who this program is; each call carries it. Without
  // TLS it is accepted only for a unix socket and for loopback addresses. No error, log line or
  // metric of this library has any part of it. Empty means that calls carry none, unless
  // token_file is set.
  std::string token = {};
  // A file whose first line is the token. A call that comes more than a second after the last
  // reading reads it again, so that the token can be replaced while the program runs; replace the
  // file by renaming a new one, as mounted secrets are. Streams that were opened with the old token
  // get no further calls, but open transactions go on. A call that finds no token in the file fails
  // with UNAUTHENTICATED before anything is sent. A pipe is read once. Set this or `token`, not
  // both.
  std::string token_file = {};
  // The name of this program, which PostgreSQL shows as application_name in pg_stat_activity. At
  // most 63 characters of printable ASCII. Empty means that the daemon's own name is shown.
  std::string application_name = {};
  // The largest message in either direction, in bytes, from 1 KiB to 2 GiB - 1. A larger request
  // fails with RESOURCE_EXHAUSTED before it is sent. The client tells the daemon this limit; the
  // daemon obeys it and its own limit, which has the same default.
  std::size_t max_message_bytes = std::size_t{64} << 20;
  // How long the connection may be silent while a call or a stream waits, from 1 s to 24 h. Then
  // the client pings the daemon. If no answer comes for as long again, or for 10 seconds if that is
  // less, the client closes the connection and what waits fails. The default therefore detects a
  // silent loss within 40 seconds. The daemon rejects pings more often than every 10 s.
  absl::Duration keepalive = absl::Seconds(30);
};

}  // namespace penstock

#endif  // PENSTOCK_CONFIG_H_
