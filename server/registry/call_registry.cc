#include "server/registry/call_registry.h"

#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::server {
namespace {

// There may be room soon.
absl::Status TooMany(std::string_view text, std::string hint) {
  driver::ErrorInfo info{.retry = driver::Retry::kStatement};
  info.hint = std::move(hint);
  return driver::MakeError(driver::Reason::kLimitExceeded, text, std::move(info));
}

}  // namespace

absl::Status CallRegistry::RefusalLocked(const std::string& peer) const {
  if (size_ >= max_sessions_) {
    return TooMany(fmt::format("{} calls and streams are already open (max_sessions)", size_),
                   "raise max_sessions of the server, or close streams that are idle");
  }
  const auto count = by_peer_.find(peer);
  if (count == by_peer_.end() || count->second < max_by_peer_) return absl::OkStatus();
  return TooMany(
      fmt::format("{} calls and streams of this peer are already open (max_sessions_by_peer)",
                  count->second),
      "close streams that are idle, or raise max_sessions_by_peer of the server");
}

absl::Status CallRegistry::Add(RegisteredCall* call, const std::string& peer) {
  std::lock_guard lock(mutex_);
  absl::Status refused = RefusalLocked(peer);
  if (!refused.ok()) return refused;
  call->by_peer_ = &*by_peer_.try_emplace(peer, 0).first;
  ++call->by_peer_->second;
  call->previous_ = nullptr;
  call->next_ = first_;
  if (first_ != nullptr) first_->previous_ = call;
  first_ = call;
  ++size_;
  return absl::OkStatus();
}

void CallRegistry::Remove(RegisteredCall* call) {
  std::lock_guard lock(mutex_);
  if (--call->by_peer_->second == 0) by_peer_.erase(by_peer_.find(call->by_peer_->first));
  (call->previous_ != nullptr ? call->previous_->next_ : first_) = call->next_;
  if (call->next_ != nullptr) call->next_->previous_ = call->previous_;
  if (--size_ == 0) empty_.notify_all();
}

int CallRegistry::size() const {
  std::lock_guard lock(mutex_);
  return size_;
}

std::vector<RegisteredCall*> CallRegistry::RefAll() const {
  std::lock_guard lock(mutex_);
  std::vector<RegisteredCall*> all;
  all.reserve(static_cast<size_t>(size_));
  for (RegisteredCall* call = first_; call != nullptr; call = call->next_) {
    // A call on its way to Remove waits for the lock, and is still whole.
    if (call->TryRef()) all.push_back(call);
  }
  return all;
}

void CallRegistry::Tick(TimePoint now) {
  for (RegisteredCall* call : RefAll()) {
    call->Tick(now);
    call->Unref();
  }
}

void CallRegistry::Drain(bool now) {
  {
    std::lock_guard lock(mutex_);
    draining_ = true;
  }
  for (RegisteredCall* call : RefAll()) {
    call->Drain(now);
    call->Unref();
  }
}

bool CallRegistry::draining() const {
  std::lock_guard lock(mutex_);
  return draining_;
}

bool CallRegistry::WaitUntilEmpty(TimePoint until) {
  std::unique_lock lock(mutex_);
  return empty_.wait_until(lock, until, [this] { return size_ == 0; });
}

}  // namespace penstock::server
