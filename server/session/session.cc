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
