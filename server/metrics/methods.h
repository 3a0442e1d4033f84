// The methods that the daemon serves, in one table: a row each.
#ifndef PENSTOCK_SERVER_METRICS_METHODS_H_
#define PENSTOCK_SERVER_METRICS_METHODS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace penstock::server {

// The method's own name, which is its label in /metrics, and how many of its calls wait to be
// matched with an RPC; each that is matched is replaced. Few wait, because Debian builds gRPC
// with its checks on: at every event it looks for the event's tag among all outstanding ones of
// the queue, oldest first.
//
// For each there is a WaitFor<name> (server/rpc/base/calls.h), and its service gives its bytes
// (server/rpc/base/service.h). A test compares the rows with the protos.
#define PENSTOCK_METHODS(METHOD) \
  METHOD(Ping, 1)                \
  METHOD(Query, 8)               \
  METHOD(Exec, 8)                \
  METHOD(Prepare, 8)             \
  METHOD(Transaction, 8)         \
  METHOD(Get, 8)                 \
  METHOD(BatchGet, 8)            \
  METHOD(Put, 8)                 \
  METHOD(Delete, 8)              \
  METHOD(DeleteRange, 1)         \
  METHOD(Scan, 8)                \
  METHOD(Write, 8)               \
  METHOD(Migrate, 1)             \
  METHOD(GetStatus, 1)           \
  METHOD(ListDatabases, 1)       \
  METHOD(GetStats, 1)            \
  METHOD(Check, 1)               \
  METHOD(Watch, 1)               \
  METHOD(ServerReflectionInfo, 1)

enum class Rpc : uint8_t {
#define PENSTOCK_METHOD(name, waiting) k##name,
  PENSTOCK_METHODS(PENSTOCK_METHOD)
#undef PENSTOCK_METHOD
};

// The names of the methods, by Rpc.
inline constexpr auto kRpcNames = std::to_array<std::string_view>({
#define PENSTOCK_METHOD(name, waiting) #name,
    PENSTOCK_METHODS(PENSTOCK_METHOD)
#undef PENSTOCK_METHOD
});
inline constexpr size_t kRpcs = kRpcNames.size();

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_METRICS_METHODS_H_
