// The answers of the HTTP server.
#ifndef PENSTOCK_SERVER_HTTP_ANSWERS_H_
#define PENSTOCK_SERVER_HTTP_ANSWERS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "server/http/http_server.h"

namespace penstock::server {

struct HttpAnswer {
  unsigned int status = 200;
  std::string body;
  std::string_view content_type = "text/plain; charset=utf-8";
  // The methods that are allowed, for 405.
  std::string_view allow = {};
};

// The part of a request that an answer depends on.
struct HttpRequest {
  std::string_view method;
  std::string_view path;
  std::string_view version;
  // Each that was sent.
  std::vector<std::string_view> hosts = {};
  bool has_body = false;
};

// Which answer it is; those of a handler may take their time.
enum class HttpTarget { kMetrics, kReady, kOther };
HttpTarget TargetOf(const HttpRequest& request);

// The refusal, or /healthz, or what there is: never waits.
HttpAnswer OtherAnswer(const HttpRequest& request);

// Asks a handler. 500 if it throws, without the exception's text.
HttpAnswer HandlerAnswer(HttpTarget target, const HttpHandlers& handlers);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_HTTP_ANSWERS_H_
