#include "server/http/http_server.h"

#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>

#include "fmt/format.h"
#include "httplib.h"

namespace penstock::server {
namespace {

constexpr int kThreads = 2;
constexpr int kTimeoutSeconds = 2;
constexpr size_t kLargestBody = 4 << 10;

constexpr char kText[] = "text/plain; charset=utf-8";
constexpr char kMetricsText[] = "text/plain; version=0.0.4";
constexpr std::string_view kPaths =
    "/metrics  figures for Prometheus\n"
    "/healthz  200 as long as the daemon lives\n"
    "/readyz   200 when it serves, else 503 and why\n";

struct HostPort {
  std::string host;
  int port;
};

// The configuration has checked the form.
HostPort Split(const std::string& listen) {
  const size_t colon = listen.rfind(':');
  std::string host = listen.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  return {std::move(host), std::stoi(listen.substr(colon + 1))};
}

// Without SO_REUSEPORT, which httplib sets by default and with which a port that
// is in use would be shared silently.
void SetSocketOptions(socket_t socket) {
  const int on = 1;
  setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
}

bool IsOurs(const std::string& path) {
  return path == "/metrics" || path == "/healthz" || path == "/readyz";
}

// Says more about the errors that httplib found by itself.
void ExplainError(const httplib::Request& request, httplib::Response& response) {
  if (!response.body.empty()) return;
  if (response.status == 404 && IsOurs(request.path)) {
    response.status = 405;
    response.set_header("Allow", "GET, HEAD");
    response.set_content("use GET\n", kText);
  } else if (response.status == 404) {
    response.set_content(fmt::format("nothing is here; there is\n{}", kPaths), kText);
  } else {
    response.set_content(fmt::format("error {}\n", response.status), kText);
  }
}

void Configure(httplib::Server* server) {
  server->new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  server->set_socket_options(SetSocketOptions);
  server->set_keep_alive_max_count(1);
  server->set_keep_alive_timeout(kTimeoutSeconds);
  server->set_read_timeout(kTimeoutSeconds);
  server->set_write_timeout(kTimeoutSeconds);
  server->set_payload_max_length(kLargestBody);
  server->set_error_handler(ExplainError);
  // httplib's own handler would show the exception's text to the caller.
  server->set_exception_handler([](const httplib::Request&, httplib::Response& response,
                                   std::exception_ptr) { response.status = 500; });
}

void Route(httplib::Server* server, HttpHandlers handlers) {
  server->Get("/metrics", [metrics = std::move(handlers.metrics)](const httplib::Request&,
                                                                  httplib::Response& response) {
    response.set_content(metrics(), kMetricsText);
  });
  server->Get("/healthz", [](const httplib::Request&, httplib::Response& response) {
    response.set_content("alive\n", kText);
  });
  server->Get("/readyz", [ready = std::move(handlers.ready)](const httplib::Request&,
                                                             httplib::Response& response) {
    const absl::Status status = ready();
    response.status = status.ok() ? 200 : 503;
    response.set_content(status.ok() ? "ready\n" : std::string(status.message()) + "\n", kText);
  });
}

}  // namespace

struct HttpServer::State {
  httplib::Server server;
  int port = 0;
  std::thread acceptor;
};

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(const std::string& listen,
                                                              HttpHandlers handlers) {
  auto state = std::make_unique<State>();
  Configure(&state->server);
  Route(&state->server, std::move(handlers));

  const HostPort address = Split(listen);
  errno = 0;
  if (address.port == 0) {
    state->port = state->server.bind_to_any_port(address.host);
  } else {
    const bool bound = state->server.bind_to_port(address.host, address.port);
    state->port = bound ? address.port : -1;
  }
  if (state->port < 0) {
    const int error = errno;
    return absl::UnavailableError(fmt::format(
        "cannot listen for HTTP on {}: {}; choose another address with http_listen", listen,
        error == 0 ? "the host is not known" : std::generic_category().message(error)));
  }
  state->acceptor = std::thread([server = &state->server] { server->listen_after_bind(); });
  // Before it runs, a stop would have no effect.
  while (!state->server.is_running()) std::this_thread::yield();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() { Stop(); }

int HttpServer::port() const { return state_->port; }

void HttpServer::Stop() {
  if (!state_->acceptor.joinable()) return;
  state_->server.stop();
  state_->acceptor.join();
}

}  // namespace penstock::server
