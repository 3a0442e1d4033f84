// The keys of the file itself, and of `server` and `log`.
#include <chrono>
#include <string>

#include "server/config/keys.h"

namespace penstock::server {
namespace {

using std::chrono::hours;

constexpr size_t kKiB = size_t{1} << 10;
constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kGiB = size_t{1} << 30;
constexpr Milliseconds kNone{0};

std::string Code(std::string_view text) { return fmt::format("`{}`", text); }

Keys<ServerConfig> Addresses() {
  return {
      {.name = "listen",
       .help = "the gRPC addresses, one or a list: `host:port`, `[ipv6]:port` or `unix:/path`; "
               "port 0 chooses a free one. An address that other machines reach is refused unless "
               "`identities` and `tls` are set, or `insecure` is true",
       .otherwise = fmt::format("`{}` and `unix:<data_dir>/penstock.sock`", kDefaultListen)},
      {.name = "http_listen",
       .help = "the address of `/metrics`, `/healthz` and `/readyz`, or `off`; one that other "
               "machines reach is refused unless `insecure` is true",
       .otherwise = Code(kDefaultHttpListen)},
      {.name = "tls", .help = "certificates, see below", .otherwise = "none"},
      {.name = "migrations_root",
       .type = TextKey{&ServerConfig::migrations_root},
       .help = "the folder below which Migrate and GetStatus requests may name a folder instead of "
               "sending files",
       .otherwise = "none"},
      {.name = "insecure",
       .type = BoolKey{&ServerConfig::insecure},
       .help = "allows addresses that other machines can reach, on a network that is trusted"},
      {.name = "public_metrics",
       .type = BoolKey{&ServerConfig::public_metrics},
       .help = "answers `/metrics` to whoever reaches `http_listen`. Otherwise, if there are "
               "`identities` and other machines reach `http_listen`, whoever asks needs an "
               "identity with `metrics`"},
      {.name = "core_dumps",
       .type = BoolKey{&ServerConfig::core_dumps},
       .help = "lets the daemon leave a core dump, and lets debuggers of its user attach to it; "
               "passwords are in its memory"},
  };
}

Keys<ServerConfig> Messages() {
  return {
      {.name = "max_message_bytes",
       .type = SizeKey{&ServerConfig::max_message_bytes, 64 * kKiB, kGiB},
       .help = "the maximum size of a message in either direction"},
      {.name = "max_request_memory_bytes",
       .type = SizeKey{&ServerConfig::max_request_memory_bytes, kMiB, 1024 * kGiB},
       .help = "the memory that all parsed requests share; arriving requests have as much again. A "
               "request beyond it is refused, and may be sent again. At least twice "
               "`max_message_bytes`",
       .otherwise = "a quarter of the memory that the process may use"},
      {.name = "first_batch_bytes",
       .type = SizeKey{&ServerConfig::first_batch_bytes, kKiB, kGiB},
       .help = "the size of the first batch of a result; a small one brings the first row sooner"},
      {.name = "batch_bytes",
       .type = SizeKey{&ServerConfig::batch_bytes, kKiB, kGiB},
       .help = "the size of each later batch; at least `first_batch_bytes`, at most "
               "`max_message_bytes`"},
  };
}

Keys<ServerConfig> Streams() {
  return {
      {.name = "stall_timeout",
       .type = DurationKey{&ServerConfig::stall_timeout, Milliseconds(1), hours(24)},
       .help = "the time after which a stream is cut off if its client takes no message"},
      {.name = "max_sessions",
       .type = IntKey{&ServerConfig::max_sessions, 1, 1'000'000},
       .help =
           "the maximum number of calls and streams at once over all databases; more are refused"},
      {.name = "max_sessions_by_peer",
       .type = IntKey{&ServerConfig::max_sessions_by_peer, 0, 1'000'000},
       .help =
           "the maximum number of these for one peer: one address (for IPv6, a network of 2^64), "
           "or all that come over unix sockets. 0 means three quarters of `max_sessions`"},
      {.name = "stream_idle_timeout",
       .type = DurationKey{&ServerConfig::stream_idle_timeout, kNone, hours(24 * 365)},
       .help = "the time after which a stream of Exec, Prepare or Pipeline ends if no request "
               "comes; 0 means never"},
  };
}

Keys<ServerConfig> Connections() {
  return {
      {.name = "max_connections",
       .type = IntKey{&ServerConfig::max_connections, 8, 1'000'000},
       .help = "the maximum number of gRPC connections at once; further ones are closed as they "
               "come, and so are those of one network address beyond three quarters of the number. "
               "The number is lower if the limit of open files leaves fewer besides those that the "
               "databases may need"},
      {.name = "max_streams_by_connection",
       .type = IntKey{&ServerConfig::max_streams, 1, 1'000'000},
       .help = "the maximum number of calls and streams at once on one connection; a client holds "
               "more back until some have ended"},
      {.name = "max_pipeline",
       .type = IntKey{&ServerConfig::max_pipeline, 1, 100'000},
       .help = "the maximum number of requests that are read ahead on one Exec stream; Pipeline "
               "has the two keys below instead"},
      {.name = "max_pipeline_calls",
       .type = IntKey{&ServerConfig::max_pipeline_calls, 1, 1'000'000},
       .help =
           "the maximum number of calls of one Pipeline stream that are not answered; further "
           "ones are refused. Below `max_waiters` of a database, one stream leaves room for other "
           "callers"},
      {.name = "max_pipeline_bytes",
       .type = SizeKey{&ServerConfig::max_pipeline_bytes, 64 * kKiB, 64 * kGiB},
       .help = "the maximum size of what one Pipeline stream has under way: requests, prepared "
               "statements, and answers that its client has not taken; further calls are refused"},
      {.name = "drain_grace",
       .type = DurationKey{&ServerConfig::drain_grace, kNone, hours(1)},
       .help = "the time limit for running calls to end after SIGTERM"},
  };
}

}  // namespace

const Keys<Config>& FileKeys() {
  static const auto* const keys = new Keys<Config>{
      {.name = "data_dir",
       .help = "the folder of databases without a path and of the default unix socket; created "
               "with mode 0700 if it is needed and missing",
       .otherwise = Code(kDefaultDataDir)},
      {.name = "server", .help = "the daemon's addresses and limits"},
      {.name = "log", .help = "the daemon's log"},
      {.name = "secret_keys",
       .help = "the key of the values that are written `sealed:…`, or the new and the old one: "
               "files of `penstock secret keygen`, which only their owner may use, or "
               "`credential:name` for one that systemd passes",
       .otherwise = "none",
       .reloads = true},
      {.name = "databases",
       .help = "the databases by name: letters, digits, `_` and `-`, at most 64",
       .otherwise = "one sqlite database, `main`"},
      {.name = "default_database",
       .help = "the database of requests that do not name one",
       .otherwise = "`main`, or the only one"},
      {.name = "identities",
       .help = "who may do what, by name: letters, digits, `_` and `-`, at most 64, and neither "
               "`local` nor `anonymous`; see below",
       .otherwise = "whoever reaches the daemon may do everything",
       .reloads = true},
      {.name = "jwt",
       .help = "how JSON Web Tokens are verified, see below",
       .otherwise = "none is accepted",
       .reloads = true},
  };
  return *keys;
}

const Keys<ServerConfig>& ServerKeys() {
  static const auto* const keys =
      new Keys<ServerConfig>(Joined(Addresses(), Messages(), Streams(), Connections()));
  return *keys;
}

// tls_section.cc reads them, and tries the files.
const Keys<TlsConfig>& TlsKeys() {
  static const auto* const keys = new Keys<TlsConfig>{
      {.name = "cert_file",
       .help =
           "the daemon's certificate, PEM; together with `key_file`. The daemon follows what the "
           "files of this section hold",
       .otherwise = "none",
       .reloads = true},
      {.name = "key_file", .help = "its private key, PEM", .otherwise = "none", .reloads = true},
      {.name = "client_ca_file",
       .help = "the authority of client certificates, PEM",
       .otherwise = "none",
       .reloads = true},
      {.name = "require_client_cert",
       .type = BoolKey{&TlsConfig::require_client_cert},
       .help = "every client must present a certificate of `client_ca_file`; `false` lets clients "
               "with tokens come without one",
       .otherwise = "`true` with `client_ca_file`"},
  };
  return *keys;
}

const Keys<LogConfig>& LogKeys() {
  static const auto* const keys = new Keys<LogConfig>{
      {.name = "level",
       .type = ChoiceKey{&LogConfig::level, {"trace", "debug", "info", "warn", "error", "off"}},
       .help = "`trace`, `debug`, `info`, `warn`, `error` or `off`",
       .reloads = true,
       .overridden = true},
      {.name = "format",
       .type = ChoiceKey{&LogConfig::format, {"text", "json"}},
       .help = "`text` or `json`, one line each on standard error",
       .reloads = true,
       .overridden = true},
      {.name = "slow_statement",
       .type = DurationKey{&LogConfig::slow_statement, kNone, hours(24)},
       .help = "the time after which a statement is logged as slow; 0 means never"},
      {.name = "parameter_values",
       .type = BoolKey{&LogConfig::parameter_values},
       .help = "whether slow statements are logged with the values of their parameters, which may "
               "be private"},
      {.name = "audit",
       .type = ChoiceKey{&LogConfig::audit, {"off", "admin", "writes"}},
       .help = "what the log tells of who did what, whatever its level: `admin` has each call that "
               "migrates or administers, `writes` also each statement that may have written, `off` "
               "nothing"},
  };
  return *keys;
}

}  // namespace penstock::server
