// The answers of the HTTP server.
#ifndef PENSTOCK_SERVER_HTTP_ANSWERS_H_
#define PENSTOCK_SERVER_HTTP_ANSWERS_H_

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "server/http/http_server.h"
#include "server/metrics/methods.h"

namespace penstock::server {

struct HttpAnswer {
  unsigned int status = 200;
  std::string body;
  std::string_view content_type = "text/plain; charset=utf-8";
  // A header that the status needs, as {"Allow", "GET, HEAD"} with 405; an empty name: none.
  std::pair<std::string_view, std::string_view> header = {};
};

// The part of a request that an answer depends on.
struct HttpRequest {
  std::string_view method;
  std::string_view path;
  std::string_view version;
  // Each that was sent.
  std::vector<std::string_view> hosts = {};
  std::vector<std::string_view> authorizations = {};
  bool has_body = false;
};

// Returns the path that a handler answers, which may take its time, or nothing: /healthz, and what
// is refused whoever asks.
std::optional<HttpPath> HandlerPath(const HttpRequest& request);

// The refusal, or /healthz: never waits.
HttpAnswer OtherAnswer(const HttpRequest& request);

// Asks the handlers whether the caller may have it, and what there is. 500 if one throws, without
// the exception's text.
HttpAnswer HandlerAnswer(HttpPath path, const HttpCaller& caller, const HttpHandlers& handlers);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_HTTP_ANSWERS_H_
