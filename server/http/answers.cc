#include "server/http/answers.h"

#include <algorithm>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::server {
namespace {

constexpr size_t kLongestHost = 255;

constexpr std::string_view kChallenge = "WWW-Authenticate";

static_assert(RowOf(HttpPath::kHealth).need == Need::kNothing,
              "it is answered without asking who asks");

std::optional<HttpPath> FindPath(std::string_view path) {
  const auto* const row = std::find_if(kHttpRows.begin(), kHttpRows.end(),
                                       [&](const HttpRow& it) { return it.path == path; });
  if (row == kHttpRows.end()) return std::nullopt;
  return static_cast<HttpPath>(row - kHttpRows.begin());
}

std::string NotFound() {
  std::string text = "not found; the paths are\n";
  for (const HttpRow& row : kHttpRows) text += fmt::format("{:<9} {}\n", row.path, row.answers);
  return text;
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

HttpAnswer Refusal(const absl::Status& why, const HttpCaller& caller) {
  const driver::ErrorInfo info = driver::GetErrorInfo(why);
  HttpAnswer answer{.body = fmt::format("{}\n{}\n", std::string(why.message()), info.hint)};
  switch (info.reason) {
    case driver::Reason::kUnauthenticated:
      answer.status = 401;
      // RFC 6750, 3: the error is told to whoever has sent something.
      answer.header = {kChallenge, caller.authorizations.empty()
                                       ? "Bearer realm=\"penstock\""
                                       : "Bearer realm=\"penstock\", error=\"invalid_token\""};
      break;
    case driver::Reason::kLimitExceeded: answer.status = 429; break;
    default: answer.status = 403;
  }
  return answer;
}

HttpAnswer Ready(const absl::Status& status) {
  if (status.ok()) return {.body = "ready\n"};
  return {.status = 503, .body = fmt::format("{}\n", std::string(status.message()))};
}

HttpAnswer Alive() { return {.body = "alive\n"}; }

HttpAnswer Served(HttpPath path, const HttpHandlers& handlers) {
  switch (path) {
    case HttpPath::kMetrics:
      return {.body = handlers.metrics(), .content_type = "text/plain; version=0.0.4"};
    case HttpPath::kHealth: break;
    case HttpPath::kReady: return Ready(handlers.ready());
  }
  return Alive();
}

}  // namespace

std::optional<HttpPath> HandlerPath(const HttpRequest& request) {
  if (!HasSaneHost(request) || !IsRead(request.method) || request.has_body) return std::nullopt;
  const std::optional<HttpPath> path = FindPath(request.path);
  return path == HttpPath::kHealth ? std::nullopt : path;
}

HttpAnswer OtherAnswer(const HttpRequest& request) {
  if (!HasSaneHost(request)) {
    return {.status = 400, .body = "send one Host header with a name or an address\n"};
  }
  if (!FindPath(request.path)) return {.status = 404, .body = NotFound()};
  if (!IsRead(request.method)) {
    return {.status = 405, .body = "use GET\n", .header = {"Allow", "GET, HEAD"}};
  }
  if (request.has_body) return {.status = 413, .body = "send no body\n"};
  return Alive();
}

HttpAnswer HandlerAnswer(HttpPath path, const HttpCaller& caller, const HttpHandlers& handlers) {
  try {
    const absl::Status admitted = handlers.admit(path, caller);
    return admitted.ok() ? Served(path, handlers) : Refusal(admitted, caller);
  } catch (...) {
    return {.status = 500, .body = "error 500\n"};
  }
}

}  // namespace penstock::server
