#include "server/config/server_section.h"

#include <algorithm>
#include <utility>

#include "server/config/keys.h"
#include "server/config/tls_section.h"

namespace penstock::server {
namespace {

// Checks the limits that depend on other keys.
void CheckLimits(const YamlMap& map, ServerConfig* server, Problems* problems) {
  // Limits that were left at their defaults follow the ones that were set.
  if (!map.Has("batch_bytes")) {
    server->batch_bytes = std::min(std::max(server->batch_bytes, server->first_batch_bytes),
                                   server->max_message_bytes);
  }
  if (!map.Has("first_batch_bytes")) {
    server->first_batch_bytes = std::min(server->first_batch_bytes, server->batch_bytes);
  }
  if (server->first_batch_bytes > server->batch_bytes) {
    problems->Add(map.WhereIs("first_batch_bytes"),
                  "exceeds batch_bytes; lower it, or raise batch_bytes");
  }
  if (map.Has("max_request_memory_bytes") &&
      server->max_request_memory_bytes < 2 * server->max_message_bytes) {
    problems->Add(map.WhereIs("max_request_memory_bytes"),
                  "is less than twice max_message_bytes; raise it, or lower max_message_bytes");
  }
  if (server->batch_bytes > server->max_message_bytes) {
    problems->Add(map.WhereIs("batch_bytes"),
                  "exceeds max_message_bytes; lower it, or raise max_message_bytes");
  }
}

}  // namespace

void ReadServer(YamlMap map, ServerConfig* server, Overridable* overridable, Problems* problems) {
  overridable->listen = map.TextList("listen");
  overridable->http_listen = map.Text("http_listen");
  YamlMap tls = map.Map("tls");
  if (map.Has("tls")) ReadTls(std::move(tls), &server->tls.emplace(), problems);
  ReadKeys(ServerKeys(), &map, server);
  CheckLimits(map, server, problems);
  map.Finish();
}

void ReadLog(YamlMap map, LogConfig* log, Overridable* overridable) {
  overridable->log_level = map.Text("level");
  overridable->log_format = map.Text("format");
  ReadKeys(LogKeys(), &map, log);
  map.Finish();
}

}  // namespace penstock::server
