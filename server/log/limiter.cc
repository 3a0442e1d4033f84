#include "server/log/limiter.h"

#include <algorithm>
#include <utility>

namespace penstock::server {
namespace {

// Kinds are the daemon's own messages. Should there be more, the rest are one kind.
constexpr size_t kMostKinds = 1000;
constexpr std::string_view kOthers = "others";

}  // namespace

LineLimiter::Verdict LineLimiter::Ask(std::string_view kind, TimePoint now) {
  std::lock_guard lock(mutex_);
  auto it = kinds_.find(kind);
  if (it == kinds_.end()) {
    it = kinds_.try_emplace(std::string(kinds_.size() < kMostKinds ? kind : kOthers)).first;
  }
  Kind& of = it->second;
  const double seconds = std::chrono::duration<double>(now - of.asked).count();
  of.tokens = std::min(kBurst, of.tokens + std::max(0.0, seconds) * kPerSecond);
  of.asked = now;
  if (of.tokens < 1) {
    ++of.left_out;
    return {.write = false, .left_out = 0};
  }
  of.tokens -= 1;
  return {.write = true, .left_out = std::exchange(of.left_out, 0)};
}

std::vector<LineLimiter::LeftOut> LineLimiter::Take(TimePoint before) {
  std::lock_guard lock(mutex_);
  std::vector<LeftOut> taken;
  for (auto& [kind, of] : kinds_) {
    if (of.left_out == 0 || of.asked > before) continue;
    taken.push_back({kind, std::exchange(of.left_out, 0)});
  }
  return taken;
}

}  // namespace penstock::server
