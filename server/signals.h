// Takes the daemon's signals.
#ifndef PENSTOCK_SERVER_SIGNALS_H_
#define PENSTOCK_SERVER_SIGNALS_H_

#include <condition_variable>
#include <functional>
#include <mutex>

namespace penstock::server {

// A thread that waits for SIGTERM, SIGINT and SIGHUP, also while the daemon starts. It is made
// once, before any other thread, so that all inherit the blocked signals, and is never destroyed.
// Thread-safe.
class Signals {
 public:
  enum class Event { kStop, kReload };

  // The thread calls `on_stop` at the first SIGTERM or SIGINT. The second ends the process at once,
  // with 128 and its number.
  explicit Signals(std::function<void(int signal)> on_stop);
  ~Signals() = delete;

  // Waits for a signal; a stop comes first.
  Event Wait();

  // The signal that said to stop; 0 if none has.
  int stopped_by() const;

 private:
  void Run();
  void OnSignal(int signal);

  const std::function<void(int signal)> on_stop_;
  mutable std::mutex mutex_;
  std::condition_variable came_;
  int stopped_by_ = 0;
  bool reload_ = false;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_SIGNALS_H_
