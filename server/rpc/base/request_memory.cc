#include "server/rpc/base/request_memory.h"

#include <algorithm>

#include "drivers/api/error.h"
#include "drivers/api/process_memory.h"
#include "fmt/format.h"
#include "server/config/config.h"

namespace penstock::server {

using driver::Reason;

RequestMemory::Share& RequestMemory::Share::operator=(Share&& other) noexcept {
  if (this == &other) return *this;
  Return();
  memory_ = std::exchange(other.memory_, nullptr);
  bytes_ = std::exchange(other.bytes_, 0);
  return *this;
}

void RequestMemory::Share::Add(Share other) {
  if (memory_ == nullptr) memory_ = other.memory_;
  bytes_ += std::exchange(other.bytes_, 0);
}

void RequestMemory::Share::Return() {
  if (memory_ != nullptr) memory_->taken_.fetch_sub(bytes_, std::memory_order_relaxed);
  memory_ = nullptr;
  bytes_ = 0;
}

absl::StatusOr<RequestMemory::Share> RequestMemory::Take(size_t bytes) {
  const size_t before = taken_.fetch_add(bytes, std::memory_order_relaxed);
  Share share(this, bytes);
  if (before == 0 || before + bytes <= most_) return share;
  return driver::MakeError(
      Reason::kLimitExceeded,
      fmt::format("the daemon has no memory for another request: the present ones take {} MiB",
                  before >> 20),
      {.retry = driver::Retry::kStatement,
       .hint = "try again, send less at a time, or raise server.max_request_memory_bytes"});
}

size_t RequestMemoryOf(const ServerConfig& config) {
  constexpr size_t kPart = 4;
  const size_t wanted = config.max_request_memory_bytes > 0 ? config.max_request_memory_bytes
                                                            : driver::ProcessMemory() / kPart;
  return std::max(wanted, 2 * config.max_message_bytes);
}

}  // namespace penstock::server
