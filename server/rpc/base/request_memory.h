// The memory that all requests share.
//
// Each request is bounded by itself (max_message_bytes, wire_bounds.h), but thousands of them can
// be here at once, and a parsed request often takes many times what was sent. So each parsed
// request has a share of one budget until it is done with, and a request for which there is no room
// is refused before it is parsed. gRPC counts what has not arrived whole, and resets streams when
// that passes the same budget.
#ifndef PENSTOCK_SERVER_RPC_BASE_REQUEST_MEMORY_H_
#define PENSTOCK_SERVER_RPC_BASE_REQUEST_MEMORY_H_

#include <atomic>
#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace penstock::server {

struct ServerConfig;

// Thread-safe; outlives its shares.
class RequestMemory {
 public:
  // The share of one request, given back when it is destroyed. One thread at a time.
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept { *this = std::move(other); }
    Share& operator=(Share&& other) noexcept;
    ~Share() { Return(); }

    // Takes over the other's share.
    void Add(Share other);

   private:
    friend class RequestMemory;
    Share(RequestMemory* memory, size_t bytes) : memory_(memory), bytes_(bytes) {}
    void Return();

    RequestMemory* memory_ = nullptr;
    size_t bytes_ = 0;
  };

  explicit RequestMemory(size_t most) : most_(most) {}
  RequestMemory(const RequestMemory&) = delete;
  RequestMemory& operator=(const RequestMemory&) = delete;

  // Fails with kLimitExceeded, after which the request may be sent again, if there is no room. A
  // request that is alone always has room.
  absl::StatusOr<Share> Take(size_t bytes);

  size_t most() const { return most_; }
  size_t taken() const { return taken_.load(std::memory_order_relaxed); }

 private:
  const size_t most_;
  std::atomic<size_t> taken_{0};
};

// Returns the configured budget, or a quarter of the memory that the process may use; at least
// twice the largest message.
size_t RequestMemoryOf(const ServerConfig& config);

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_REQUEST_MEMORY_H_
