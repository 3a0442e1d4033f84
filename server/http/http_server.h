// The daemon's HTTP port: /metrics, /healthz and /readyz.
#ifndef PENSTOCK_SERVER_HTTP_HTTP_SERVER_H_
#define PENSTOCK_SERVER_HTTP_HTTP_SERVER_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/metrics/methods.h"

namespace penstock::server {

// Who asks.
struct HttpCaller {
  // His PeerName.
  std::string peer;
  // The values of the header `authorization`, which are wiped when the request ends.
  std::vector<std::string> authorizations;
};

// The sources of the answers. One of the server's threads calls them, one call at a time. /healthz
// asks none of them, and does not wait for them.
struct HttpHandlers {
  // The body of /metrics in Prometheus's text format 0.0.4.
  std::function<std::string()> metrics;
  // Returns OK for 200 at /readyz, or the status whose message is sent with 503.
  std::function<absl::Status()> ready;
  // Returns OK if the caller may have the path. kUnauthenticated is answered with 401, kNotAllowed
  // with 403 and kLimitExceeded with 429, with the status's message and hint. Not asked for
  // /healthz.
  std::function<absl::Status(HttpPath, const HttpCaller&)> admit;
};

// The limits of clients. Nothing that a client does, however slowly, renews a time.
struct HttpLimits {
  // The connections at once; one more closes the oldest.
  int connections = 128;
  // The connections of one peer (an IP address, or a /64 of IPv6); one more closes its oldest.
  int connections_by_peer = 64;
  // The time from the first byte of a request, or the connection's beginning, to the last byte of
  // the answer.
  std::chrono::milliseconds request_time{5'000};
  // The time for which a connection is kept after an answer; scrapers commonly pause for less.
  std::chrono::milliseconds idle_time{90'000};
  // The size of a request's line and headers.
  size_t header_bytes = size_t{16} << 10;
};

// Serves GET and HEAD. Requests are read, and bounded, by libmicrohttpd, which knows
// what hostile clients do; connections are kept alive; there are no ranges and no bodies.
class HttpServer {
 public:
  // Listens on "host:port" ("[::1]:9420" for IPv6); port 0 takes a free one. Fails with UNAVAILABLE
  // and the system's reason.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const std::string& listen,
                                                           HttpHandlers handlers,
                                                           const HttpLimits& limits = {});

  // Stops.
  ~HttpServer();

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // The port on which it listens.
  int port() const;

  // Returns OK while it accepts connections, else UNAVAILABLE with the reason. Thread-safe.
  absl::Status Health() const;

  // Stops listening, lets requests that run end (for `request_time` at most, apart from a handler's
  // call), and joins every thread. Later calls have no effect. A handler must not call it.
  void Stop();

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);

  std::unique_ptr<Impl> impl_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_HTTP_HTTP_SERVER_H_
