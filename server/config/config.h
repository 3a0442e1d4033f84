// The daemon's configuration, checked and with every default filled in.
#ifndef PENSTOCK_SERVER_CONFIG_CONFIG_H_
#define PENSTOCK_SERVER_CONFIG_CONFIG_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "drivers/api/config.h"
#include "server/config/identity.h"

namespace penstock::server {

using Milliseconds = std::chrono::milliseconds;

// The keys of the configuration with their defaults. server_keys.cc, database_keys.cc and
// identity_keys.cc describe each, with its unit and bounds, in one place.

struct PoolConfig {
  int max_open = 5;
  int max_idle = 5;
  int min_idle = 0;
  Milliseconds max_lifetime{0};
  Milliseconds max_idle_time{0};
  int max_waiters = 10'000;
  Milliseconds acquire_timeout{30'000};
  Milliseconds connect_timeout{5'000};
};

// Limits on what one request or stream may take.
struct DatabaseLimits {
  Milliseconds query_timeout{0};
  Milliseconds transaction_idle_timeout{10'000};
  Milliseconds transaction_timeout{60'000};
  size_t max_returning_bytes = size_t{32} << 20;
  int max_transaction_statements = 256;
};

// A setting of the session whose value the daemon takes from who calls.
struct IdentitySetting {
  enum class Source : uint8_t {
    kIdentity,  // the name of the caller's identity
    kClaim,     // one claim of the caller's JSON Web Token
    kClaims,    // all of them, as a JSON object
  };

  std::string name;
  Source source = Source::kIdentity;
  // Of kClaim.
  std::string claim;
};

// The settings of the session that statements of callers have, see driver::Setting.
struct SettingsConfig {
  // The names of those that a call may carry, in their order.
  std::vector<std::string> carried;
  // Those that each call has. None of them may be carried as well.
  std::vector<IdentitySetting> derived;
};

struct DatabaseConfig {
  driver::Config driver;
  PoolConfig pool;
  DatabaseLimits limits;
  SettingsConfig settings;
  std::string migrations_table = "penstock_migrations";
  Milliseconds migrations_lease{30'000};
  std::string migrate_on_start;
  // The line of the database in the file, from 1, for errors found when it is opened; 0 if there is
  // no file.
  int line = 0;
};

struct TlsConfig {
  std::string cert_file;
  std::string key_file;
  // The authority of client certificates. If it is empty, no client is asked for one.
  std::string client_ca_file;
  // With client_ca_file: a client without a certificate does not get in. If it is false, each
  // client is asked for a certificate, and one that has another credential need not have any.
  bool require_client_cert = true;
};

struct ServerConfig {
  // A relative path of a unix socket begins at the working directory.
  std::vector<std::string> listen;
  // Empty means none.
  std::string http_listen;
  std::optional<TlsConfig> tls;
  bool insecure = false;
  // Whoever reaches http_listen may read the metrics, also where identities are configured.
  bool public_metrics = false;
  bool core_dumps = false;

  size_t max_message_bytes = size_t{64} << 20;
  size_t first_batch_bytes = size_t{16} << 10;
  size_t batch_bytes = size_t{256} << 10;
  Milliseconds stall_timeout{30'000};
  int max_sessions = 10'000;
  // 0 means three quarters of max_sessions.
  int max_sessions_by_peer = 0;
  Milliseconds stream_idle_timeout{600'000};
  int max_connections = 10'000;
  // The limit of one connection.
  int max_streams = 2'000;
  // 0 means a quarter of what the process may use.
  size_t max_request_memory_bytes = 0;
  int max_pipeline = 256;
  // Of one Pipeline stream.
  int max_pipeline_calls = 8'192;
  size_t max_pipeline_bytes = size_t{64} << 20;
  std::string migrations_root;
  Milliseconds drain_grace{10'000};
};

struct LogConfig {
  std::string level = "info";
  std::string format = "text";
  // 0 means none.
  Milliseconds slow_statement{1'000};
  bool parameter_values = false;
  // "off", "admin" or "writes".
  std::string audit = "admin";
};

struct Config {
  ServerConfig server;
  LogConfig log;
  // The databases by name; never empty.
  std::map<std::string, DatabaseConfig> databases;
  // The database of requests that name none.
  std::string default_database;
  IdentityConfigs identities;
  JwtConfig jwt;
  // The SHA-256 of each text of the file by path ("server.listen[0]"), to compare it with what the
  // file says later. Digests, because some of the texts are secrets.
  std::map<std::string, std::string> said;
  // What is no mistake and should be known: each secret that stands in clear. One a line, in the
  // form of the mistakes; empty if there is nothing.
  std::string notes;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_CONFIG_CONFIG_H_
