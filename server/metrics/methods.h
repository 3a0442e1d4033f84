// What the daemon serves, in one table: a row for each method of gRPC and each path of HTTP.
#ifndef PENSTOCK_SERVER_METRICS_METHODS_H_
#define PENSTOCK_SERVER_METRICS_METHODS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::server {

// What a caller needs: nothing at all, an identity, that and a right on the database of the
// request, or, by HTTP, an identity that may read metrics. kRead and kWrite are also a matter of
// what the request does: a Query that writes is refused by the backend to whoever has kRead alone.
// A call within a Pipeline needs what its own method needs.
enum class Need : uint8_t { kNothing, kIdentity, kRead, kWrite, kMigrate, kAdmin, kMetrics };

// The method's own name, which is its label in /metrics; how many of its calls wait to be
// matched with an RPC, each of which is replaced once it is matched; and what its caller needs. Few
// wait, because Debian builds gRPC with its checks on: at every event it looks for the event's tag
// among all outstanding ones of the queue, oldest first.
//
// For each there is a WaitFor<name> (server/rpc/base/calls.h), and its service gives its bytes
// (server/rpc/base/service.h). A test compares the rows with the protos.
#define PENSTOCK_METHODS(METHOD)      \
  METHOD(Ping, 1, kRead)              \
  METHOD(Query, 8, kRead)             \
  METHOD(Exec, 8, kWrite)             \
  METHOD(Prepare, 8, kRead)           \
  METHOD(Transaction, 8, kRead)       \
  METHOD(Pipeline, 8, kIdentity)      \
  METHOD(Get, 8, kRead)               \
  METHOD(BatchGet, 8, kRead)          \
  METHOD(Put, 8, kWrite)              \
  METHOD(Delete, 8, kWrite)           \
  METHOD(DeleteRange, 1, kWrite)      \
  METHOD(Scan, 8, kRead)              \
  METHOD(Write, 8, kWrite)            \
  METHOD(Migrate, 1, kMigrate)        \
  METHOD(GetStatus, 1, kRead)         \
  METHOD(ListDatabases, 1, kIdentity) \
  METHOD(GetStats, 1, kAdmin)         \
  METHOD(Check, 1, kNothing)          \
  METHOD(Watch, 1, kNothing)          \
  METHOD(ServerReflectionInfo, 1, kIdentity)

enum class Rpc : uint8_t {
#define PENSTOCK_METHOD(name, waiting, need) k##name,
  PENSTOCK_METHODS(PENSTOCK_METHOD)
#undef PENSTOCK_METHOD
};

// The names of the methods, by Rpc.
inline constexpr auto kRpcNames = std::to_array<std::string_view>({
#define PENSTOCK_METHOD(name, waiting, need) #name,
    PENSTOCK_METHODS(PENSTOCK_METHOD)
#undef PENSTOCK_METHOD
});

// What they need, by Rpc.
inline constexpr auto kRpcNeeds = std::to_array<Need>({
#define PENSTOCK_METHOD(name, waiting, need) Need::need,
    PENSTOCK_METHODS(PENSTOCK_METHOD)
#undef PENSTOCK_METHOD
});
inline constexpr size_t kRpcs = kRpcNames.size();

// The paths that HTTP serves: the name in the code, the path, what whoever asks needs (where
// server/http/guard.h asks for it), and what it answers. There is no other path, and one that
// nobody answers does not build (server/http/answers.cc).
#define PENSTOCK_HTTP_PATHS(PATH)                                 \
  PATH(Metrics, "/metrics", kMetrics, "metrics for Prometheus")   \
  PATH(Health, "/healthz", kNothing, "200 while the daemon runs") \
  PATH(Ready, "/readyz", kNothing, "200 while it serves, else 503 and the reasons")

enum class HttpPath : uint8_t {
#define PENSTOCK_PATH(name, path, need, answers) k##name,
  PENSTOCK_HTTP_PATHS(PENSTOCK_PATH)
#undef PENSTOCK_PATH
};

struct HttpRow {
  std::string_view path;
  Need need;
  std::string_view answers;
};

// The rows, by HttpPath.
inline constexpr auto kHttpRows = std::to_array<HttpRow>({
#define PENSTOCK_PATH(name, path, need, answers) {path, Need::need, answers},
    PENSTOCK_HTTP_PATHS(PENSTOCK_PATH)
#undef PENSTOCK_PATH
});

constexpr const HttpRow& RowOf(HttpPath path) { return kHttpRows[static_cast<size_t>(path)]; }

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_METRICS_METHODS_H_
