#include "server/session/session.h"

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

absl::Status Sessions::RefusalLocked(const std::string& peer) const {
  if (size_ >= max_sessions_) {
    return TooMany(fmt::format("{} calls and streams are open already (max_sessions)", size_),
                   "raise max_sessions of the server, or close streams that are idle");
  }
  const auto count = by_peer_.find(peer);
  if (count == by_peer_.end() || count->second < max_by_peer_) return absl::OkStatus();
  return TooMany(
      fmt::format("{} calls and streams of this peer are open already (max_sessions_by_peer)",
                  count->second),
      "close streams that are idle, or raise max_sessions_by_peer of the server");
}

absl::Status Sessions::Add(Session* session, const std::string& peer) {
  std::lock_guard lock(mutex_);
  absl::Status refused = RefusalLocked(peer);
  if (!refused.ok()) return refused;
  session->by_peer_ = &*by_peer_.try_emplace(peer, 0).first;
  ++session->by_peer_->second;
  session->previous_ = nullptr;
  session->next_ = first_;
  if (first_ != nullptr) first_->previous_ = session;
  first_ = session;
  ++size_;
  return absl::OkStatus();
}

void Sessions::Remove(Session* session) {
  std::lock_guard lock(mutex_);
  if (--session->by_peer_->second == 0) by_peer_.erase(by_peer_.find(session->by_peer_->first));
  (session->previous_ != nullptr ? session->previous_->next_ : first_) = session->next_;
  if (session->next_ != nullptr) session->next_->previous_ = session->previous_;
  if (--size_ == 0) empty_.notify_all();
}

int Sessions::size() const {
  std::lock_guard lock(mutex_);
  return size_;
}

std::vector<Session*> Sessions::RefAll() const {
  std::lock_guard lock(mutex_);
  std::vector<Session*> all;
  all.reserve(static_cast<size_t>(size_));
  for (Session* session = first_; session != nullptr; session = session->next_) {
    // One that is on its way to Remove waits for the lock, and is still whole.
    if (session->TryRef()) all.push_back(session);
  }
  return all;
}

void Sessions::Tick(TimePoint now) {
  for (Session* session : RefAll()) {
    session->Tick(now);
    session->Unref();
  }
}

void Sessions::Drain(bool now) {
  {
    std::lock_guard lock(mutex_);
    draining_ = true;
  }
  for (Session* session : RefAll()) {
    session->Drain(now);
    session->Unref();
  }
}

bool Sessions::draining() const {
  std::lock_guard lock(mutex_);
  return draining_;
}

bool Sessions::WaitUntilEmpty(TimePoint until) {
  std::unique_lock lock(mutex_);
  return empty_.wait_until(lock, until, [this] { return size_ == 0; });
}

}  // namespace penstock::server
