#include "server/signals.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <thread>
#include <utility>

namespace penstock::server {
namespace {

sigset_t Taken() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  return signals;
}

}  // namespace

Signals::Signals(std::function<void(int signal)> on_stop) : on_stop_(std::move(on_stop)) {
  signal(SIGPIPE, SIG_IGN);
  // sigwait takes them, so they are blocked everywhere.
  const sigset_t signals = Taken();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::thread([this] { Run(); }).detach();
}

Signals::Event Signals::Wait() {
  std::unique_lock lock(mutex_);
  came_.wait(lock, [this] { return stopped_by_ != 0 || reload_; });
  if (stopped_by_ != 0) return Event::kStop;
  reload_ = false;
  return Event::kReload;
}

int Signals::stopped_by() const {
  std::lock_guard lock(mutex_);
  return stopped_by_;
}

void Signals::Run() {
  const sigset_t signals = Taken();
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) == 0) OnSignal(signal);
  }
}

void Signals::OnSignal(int signal) {
  bool stop = false;
  {
    std::lock_guard lock(mutex_);
    if (signal == SIGHUP) {
      reload_ = true;
    } else if (stopped_by_ != 0) {
      _exit(128 + signal);
    } else {
      stopped_by_ = signal;
      stop = true;
    }
  }
  came_.notify_all();
  if (stop) on_stop_(signal);
}

}  // namespace penstock::server
