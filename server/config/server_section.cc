#include "server/config/server_section.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "server/config/tls_section.h"

namespace penstock::server {
namespace {

using std::chrono::hours;

constexpr size_t kKiB = size_t{1} << 10;
constexpr size_t kMiB = size_t{1} << 20;
constexpr size_t kGiB = size_t{1} << 30;
constexpr size_t kMost = 1024 * kGiB;

void ReadLimits(YamlMap* map, ServerConfig* server, Problems* problems) {
  map->Size("max_message_bytes", 64 * kKiB, kGiB, &server->max_message_bytes);
  map->Size("first_batch_bytes", kKiB, kGiB, &server->first_batch_bytes);
  map->Size("batch_bytes", kKiB, kGiB, &server->batch_bytes);
  map->Duration("stall_timeout", Milliseconds(1), hours(24), &server->stall_timeout);
  map->Int("max_sessions", 1, 1'000'000, &server->max_sessions);
  map->Int("max_sessions_by_peer", 0, 1'000'000, &server->max_sessions_by_peer);
  map->Duration("stream_idle_timeout", Milliseconds(0), hours(24 * 365),
                &server->stream_idle_timeout);
  map->Int("max_connections", 8, 1'000'000, &server->max_connections);
  map->Int("max_streams_by_connection", 1, 1'000'000, &server->max_streams);
  map->Size("max_request_memory_bytes", kMiB, kMost, &server->max_request_memory_bytes);
  map->Int("max_pipeline", 1, 100'000, &server->max_pipeline);
  map->Duration("drain_grace", Milliseconds(0), hours(1), &server->drain_grace);

  // What was left at its default follows what was said.
  if (!map->Has("batch_bytes")) {
    server->batch_bytes = std::min(std::max(server->batch_bytes, server->first_batch_bytes),
                                   server->max_message_bytes);
  }
  if (!map->Has("first_batch_bytes")) {
    server->first_batch_bytes = std::min(server->first_batch_bytes, server->batch_bytes);
  }
  if (server->first_batch_bytes > server->batch_bytes) {
    problems->Add(map->WhereIs("first_batch_bytes"),
                  "is more than batch_bytes; lower it, or raise batch_bytes");
  }
  if (map->Has("max_request_memory_bytes") &&
      server->max_request_memory_bytes < 2 * server->max_message_bytes) {
    problems->Add(map->WhereIs("max_request_memory_bytes"),
                  "is less than twice max_message_bytes; raise it, or lower max_message_bytes");
  }
  if (server->batch_bytes > server->max_message_bytes) {
    problems->Add(map->WhereIs("batch_bytes"),
                  "is more than max_message_bytes; lower it, or raise max_message_bytes");
  }
}

}  // namespace

void ReadServer(YamlMap map, ServerConfig* server, Overridable* overridable, Problems* problems) {
  overridable->listen = map.TextList("listen");
  overridable->http_listen = map.Text("http_listen");
  YamlMap tls = map.Map("tls");
  if (map.Has("tls")) ReadTls(std::move(tls), &server->tls.emplace(), problems);
  map.Bool("insecure", &server->insecure);
  if (const std::optional<Setting> root = map.Text("migrations_root")) {
    server->migrations_root = root->value;
  }
  ReadLimits(&map, server, problems);
  map.Finish();
}

void ReadLog(YamlMap map, LogConfig* log, Overridable* overridable) {
  overridable->log_level = map.Text("level");
  overridable->log_format = map.Text("format");
  map.Duration("slow_statement", Milliseconds(0), hours(24), &log->slow_statement);
  map.Bool("parameter_values", &log->parameter_values);
  map.Finish();
}

}  // namespace penstock::server
