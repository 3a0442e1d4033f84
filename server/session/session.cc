#include "server/session/session.h"

namespace penstock::server {

bool Sessions::Add(Session* session) {
  std::lock_guard lock(mutex_);
  if (size_ >= max_sessions_) return false;
  session->previous_ = nullptr;
  session->next_ = first_;
  if (first_ != nullptr) first_->previous_ = session;
  first_ = session;
  ++size_;
  return true;
}

void Sessions::Remove(Session* session) {
  std::lock_guard lock(mutex_);
  (session->previous_ != nullptr ? session->previous_->next_ : first_) = session->next_;
  if (session->next_ != nullptr) session->next_->previous_ = session->previous_;
  if (--size_ == 0) empty_.notify_all();
}

int Sessions::size() const {
  std::lock_guard lock(mutex_);
  return size_;
}

void Sessions::Tick(TimePoint now) {
  std::lock_guard lock(mutex_);
  for (Session* session = first_; session != nullptr; session = session->next_) session->Tick(now);
}

void Sessions::Drain(bool now) {
  std::lock_guard lock(mutex_);
  draining_ = true;
  for (Session* session = first_; session != nullptr; session = session->next_) session->Drain(now);
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
