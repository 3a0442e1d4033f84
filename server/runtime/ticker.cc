#include "server/runtime/ticker.h"

#include <utility>

namespace penstock::server {

Ticker::Ticker(Duration period, std::function<void(TimePoint now)> tick)
    : thread_([this, period, tick = std::move(tick)] {
        std::unique_lock lock(mutex_);
        while (!stop_.wait_for(lock, period, [this] { return stopping_; })) {
          lock.unlock();
          tick(Clock::System().Now());
          lock.lock();
        }
      }) {}

Ticker::~Ticker() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  stop_.notify_one();
  thread_.join();
}

}  // namespace penstock::server
