#include "server/http/answers.h"

#include <algorithm>
#include <utility>

#include "fmt/format.h"

namespace penstock::server {
namespace {

constexpr std::string_view kPaths =
    "/metrics  metrics for Prometheus\n"
    "/healthz  200 while the daemon runs\n"
    "/readyz   200 while it serves, else 503 and the reasons\n";

constexpr size_t kLongestHost = 255;

bool IsOurs(std::string_view path) {
  return path == "/metrics" || path == "/healthz" || path == "/readyz";
}

bool IsRead(std::string_view method) { return method == "GET" || method == "HEAD"; }

// A name or an address and perhaps a port; which one is not ours to know.
bool IsSane(std::string_view host) {
  constexpr std::string_view kAllowed =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~:[]%";
  return !host.empty() && host.size() <= kLongestHost &&
         host.find_first_not_of(kAllowed) == std::string_view::npos;
}

// HTTP/1.0 needs none.
bool HasSaneHost(const HttpRequest& request) {
  if (request.hosts.empty()) return request.version == "HTTP/1.0";
  return request.hosts.size() == 1 && IsSane(request.hosts[0]);
}

}  // namespace

HttpTarget TargetOf(const HttpRequest& request) {
  if (!HasSaneHost(request) || !IsRead(request.method) || request.has_body) {
    return HttpTarget::kOther;
  }
  if (request.path == "/metrics") return HttpTarget::kMetrics;
  return request.path == "/readyz" ? HttpTarget::kReady : HttpTarget::kOther;
}

HttpAnswer OtherAnswer(const HttpRequest& request) {
  if (!HasSaneHost(request)) {
    return {.status = 400, .body = "send one Host header with a name or an address\n"};
  }
  if (!IsOurs(request.path)) {
    return {.status = 404, .body = fmt::format("not found; the paths are\n{}", kPaths)};
  }
  if (!IsRead(request.method)) return {.status = 405, .body = "use GET\n", .allow = "GET, HEAD"};
  if (request.has_body) return {.status = 413, .body = "send no body\n"};
  return {.body = "alive\n"};
}

HttpAnswer HandlerAnswer(HttpTarget target, const HttpHandlers& handlers) {
  try {
    if (target == HttpTarget::kMetrics) {
      return {.body = handlers.metrics(), .content_type = "text/plain; version=0.0.4"};
    }
    const absl::Status status = handlers.ready();
    if (status.ok()) return {.body = "ready\n"};
    return {.status = 503, .body = fmt::format("{}\n", std::string(status.message()))};
  } catch (...) {
    return {.status = 500, .body = "error 500\n"};
  }
}

}  // namespace penstock::server
