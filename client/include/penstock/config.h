// How to reach a daemon.
#ifndef PENSTOCK_CONFIG_H_
#define PENSTOCK_CONFIG_H_

#include <cstddef>
#include <string>

#include "absl/time/time.h"

namespace penstock {

// PEM files, read once, by New. All empty: the connection is not encrypted,
// which is right for a unix socket and for loopback.
struct TlsConfig {
  // The authorities whose signature the daemon's certificate needs. Empty,
  // while the other two are set: those of the system.
  std::string ca_file;
  // Our own certificate and its private key, for a daemon that asks for them.
  // Both or neither.
  std::string cert_file;
  std::string key_file;

  bool enabled() const { return !ca_file.empty() || !cert_file.empty() || !key_file.empty(); }
};

// What New needs to know.
struct Config {
  // "host:port", "[address]:port", or "unix:/path" of a socket, of up to 107 bytes.
  std::string target = "127.0.0.1:7420";
  // The name of a database in the daemon's configuration. Empty: its default.
  std::string database = {};
  TlsConfig tls = {};
  // How this program is called, where a database shows who uses it: PostgreSQL's
  // application_name, in pg_stat_activity. At most 63 characters of printable ASCII.
  // Empty: the daemon's own name is shown.
  std::string application_name = {};
  // The largest message in either direction, in bytes. A larger request fails with
  // RESOURCE_EXHAUSTED before it is sent. The daemon has a limit of its own with
  // the same default; it is told this one, and keeps to both. From 1 KiB to 2 GiB - 1.
  std::size_t max_message_bytes = std::size_t{64} << 20;
  // For how long the connection may be silent while a call or a stream waits. Then the
  // daemon is asked for a sign of life; if it gives none for as long again, 10 seconds at
  // most, the connection is given up and what waits fails: a cut that nobody reports is
  // noticed within 40 seconds. From 1 s to 24 h; the daemon takes offence at less than 10 s.
  absl::Duration keepalive = absl::Seconds(30);
};

}  // namespace penstock

#endif  // PENSTOCK_CONFIG_H_
