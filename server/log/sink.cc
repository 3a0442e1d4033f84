#include "server/log/sink.h"

#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <thread>
#include <utility>

namespace penstock::server {
namespace {

constexpr auto kIdle = std::chrono::seconds(1);

}  // namespace

LogSink::LogSink(int fd, Dropped dropped, std::function<void()> idle)
    : fd_(fd), describe_dropped_(std::move(dropped)), idle_(std::move(idle)) {
  // Signals are for the thread that waits for them, whenever the first line is logged.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread([this] { Run(); }).detach();
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void LogSink::Push(std::string line) {
  {
    std::lock_guard lock(mutex_);
    if (bytes_ + line.size() > kMostBytes) {
      ++dropped_;
      return;
    }
    bytes_ += line.size();
    lines_.push_back(std::move(line));
  }
  pushed_.notify_one();
}

void LogSink::Flush(std::chrono::milliseconds longest) {
  std::unique_lock lock(mutex_);
  written_.wait_for(lock, longest, [this] { return lines_.empty() && dropped_ == 0 && !writing_; });
}

void LogSink::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (!pushed_.wait_for(lock, kIdle, [this] { return !lines_.empty() || dropped_ > 0; })) {
      lock.unlock();
      idle_();
      lock.lock();
      continue;
    }
    const std::string text = TakeAll(&lock);
    lock.unlock();
    Write(text);
    lock.lock();
    writing_ = false;
    written_.notify_all();
  }
}

std::string LogSink::TakeAll(std::unique_lock<std::mutex>* lock) {
  std::deque<std::string> lines = std::exchange(lines_, {});
  const int64_t dropped = std::exchange(dropped_, 0);
  bytes_ = 0;
  writing_ = true;
  lock->unlock();
  std::string text;
  for (const std::string& line : lines) text += line;
  if (dropped > 0) text += describe_dropped_(dropped);
  lock->lock();
  return text;
}

void LogSink::Write(const std::string& text) const {
  for (size_t at = 0; at < text.size();) {
    const ssize_t count = write(fd_, text.data() + at, text.size() - at);
    if (count > 0) {
      at += static_cast<size_t>(count);
    } else if (count < 0 && errno == EAGAIN) {
      pollfd writable{.fd = fd_, .events = POLLOUT, .revents = 0};
      poll(&writable, 1, -1);
    } else if (count == 0 || errno != EINTR) {
      return;  // nobody reads it any more
    }
  }
}

}  // namespace penstock::server
