// The methods that the daemon serves, in one table: a row each.
#ifndef PENSTOCK_SERVER_METRICS_METHODS_H_
#define PENSTOCK_SERVER_METRICS_METHODS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::server {

// What a caller needs for a method: nothing at all, an identity, or that and a right on the
// database of the request. kRead and kWrite are also a matter of what the request does: a Query
// that writes is refused by the backend to whoever has kRead alone. A call within a Pipeline needs
// what its own method needs.
enum class Need : uint8_t { kNothing, kIdentity, kRead, kWrite, kMigrate, kAdmin };

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

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_METRICS_METHODS_H_
