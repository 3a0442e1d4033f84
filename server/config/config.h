// The daemon's configuration, checked and with every default filled in.
#ifndef PENSTOCK_SERVER_CONFIG_CONFIG_H_
#define PENSTOCK_SERVER_CONFIG_CONFIG_H_

#include <chrono>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "drivers/api/config.h"

namespace penstock::server {

using Milliseconds = std::chrono::milliseconds;

// How the connections of one database are kept.
struct PoolConfig {
  // The most connections open at once. SQLite: one of them writes.
  int max_open = 5;
  // The most that stay open while nobody uses them.
  int max_idle = 5;
  // Kept idle in reserve.
  int min_idle = 0;
  // Closed at this age, less up to a tenth at random; 0: never.
  Milliseconds max_lifetime{0};
  // Closed after being idle for so long, but for the reserve; 0: never.
  Milliseconds max_idle_time{0};
  // Requests that may wait for a connection; more are refused at once.
  int max_waiters = 10000;
  // How long a request waits for a connection; 0: as long as its deadline.
  Milliseconds acquire_timeout{30'000};
  // How long one attempt to connect may take.
  Milliseconds connect_timeout{5'000};
};

// Limits on what one request or stream may take.
struct DatabaseLimits {
  // The database's rung of the deadline ladder; 0: none.
  Milliseconds query_timeout{0};
  // Of a transaction between two steps; 0: none.
  Milliseconds transaction_idle_timeout{10'000};
  // Of a transaction in all; 0: none.
  Milliseconds transaction_timeout{60'000};
  // Rows of a statement that writes are held until it is committed, up to this.
  size_t max_returning_bytes = size_t{32} << 20;
  // Prepared statements that one transaction may keep open.
  int max_transaction_statements = 256;
};

struct DatabaseConfig {
  driver::Config driver;
  PoolConfig pool;
  DatabaseLimits limits;
  // The table of the migration history.
  std::string migrations_table = "penstock_migrations";
  // CockroachDB: how long the lock of a migrator that has died keeps the others off.
  Milliseconds migrations_lease{30'000};
  // A folder of migrations that are applied before the daemon serves; empty: none.
  std::string migrate_on_start;
  // 1-based line in the file, for errors found when the database is opened; 0: no file.
  int line = 0;
};

// Server certificates, and the authority that clients' certificates must come from.
struct TlsConfig {
  std::string cert_file;
  std::string key_file;
  // If set, every client presents a certificate of this authority.
  std::string client_ca_file;
};

struct ServerConfig {
  // gRPC addresses: "host:port" or "unix:/path". A relative unix path is taken
  // from the working directory.
  std::vector<std::string> listen;
  // "host:port" of /metrics, /healthz and /readyz; empty: none.
  std::string http_listen;
  std::optional<TlsConfig> tls;
  // Addresses that are not loopback are allowed without TLS and client_ca_file.
  bool insecure = false;

  // The largest message in bytes, in either direction.
  size_t max_message_bytes = size_t{64} << 20;
  // The first batch of a result, for a quick first byte, and each later one.
  size_t first_batch_bytes = size_t{16} << 10;
  size_t batch_bytes = size_t{256} << 10;
  // A stream whose client takes no message for so long is cut off.
  Milliseconds stall_timeout{30'000};
  // Streams and calls at once, over all databases; more are refused.
  int max_sessions = 10'000;
  // Of these one peer has at most so many: one address (one network of 2^64 addresses, in
  // IPv6), or all that come by unix sockets; 0: three quarters of max_sessions.
  int max_sessions_by_peer = 0;
  // Streams of Exec and Prepare that have waited for a request for so long are ended; 0: never.
  Milliseconds stream_idle_timeout{600'000};
  // Connections to gRPC at once; fewer if the process may not open so many files.
  int max_connections = 10'000;
  // Streams and calls at once on one connection; a client keeps back more until some end.
  int max_streams = 2'000;
  // The memory that all requests take together once they are parsed, and again while they
  // arrive; 0: a quarter of what the process may use. At least twice max_message_bytes.
  size_t max_request_memory_bytes = 0;
  // Requests read ahead on one Exec stream.
  int max_pipeline = 256;
  // Requests may name a folder of migrations below this one; empty: they may not.
  std::string migrations_root;
  // How long running calls have to end after SIGTERM.
  Milliseconds drain_grace{10'000};
};

struct LogConfig {
  std::string level = "info";   // trace, debug, info, warn, error or off
  std::string format = "text";  // or "json"
  // Statements that took longer are logged; 0: none.
  Milliseconds slow_statement{1'000};
  // Slow statements are logged with their parameters' values.
  bool parameter_values = false;
};

struct Config {
  ServerConfig server;
  LogConfig log;
  // By name; never empty.
  std::map<std::string, DatabaseConfig> databases;
  // Serves requests that name no database.
  std::string default_database;
  // What the file says, by path ("server.listen[0]"), to compare it with what it says
  // later. It may hold secrets.
  std::map<std::string, std::string> said;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_CONFIG_H_
