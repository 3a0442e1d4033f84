// The daemon's HTTP port: /metrics, /healthz and /readyz.
#ifndef PENSTOCK_SERVER_HTTP_HTTP_SERVER_H_
#define PENSTOCK_SERVER_HTTP_HTTP_SERVER_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace penstock::server {

// Where the answers come from. Called from the server's threads, two at once
// at most; they should answer at once.
struct HttpHandlers {
  // The body of /metrics in Prometheus's text format 0.0.4.
  std::function<std::string()> metrics;
  // OK: /readyz answers 200; else 503 with the status's message.
  std::function<absl::Status()> ready;
};

// Serves GET and HEAD with two threads and one that accepts. Each connection
// serves one request, and is closed when it sends nothing for two seconds, so
// that a scraper that hangs does not keep a thread.
class HttpServer {
 public:
  // Listens on "host:port" ("[::1]:9420" for IPv6); port 0 takes a free one.
  // UNAVAILABLE, with the system's reason, if that is not possible.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(const std::string& listen,
                                                           HttpHandlers handlers);

  // Stops.
  ~HttpServer();

  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // The port it listens on.
  int port() const;

  // Stops listening, lets requests that run end, and joins every thread. Later
  // calls have no effect. Not to be called from a handler.
  void Stop();

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_HTTP_HTTP_SERVER_H_
