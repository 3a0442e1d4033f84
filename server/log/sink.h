// Writes lines to standard error without ever keeping their authors waiting.
#ifndef PENSTOCK_SERVER_LOG_SINK_H_
#define PENSTOCK_SERVER_LOG_SINK_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>

namespace penstock::server {

// A bounded queue and a thread that writes it. Thread-safe.
class LogSink {
 public:
  // The most bytes of waiting lines; further lines are dropped and counted.
  static constexpr size_t kMostBytes = size_t{1} << 20;

  // Returns the text that tells of `count` dropped lines.
  using Dropped = std::function<std::string(int64_t count)>;

  // Writes to the descriptor `fd`. The thread calls `idle` about every second. The object is never
  // destroyed: threads may log while the process ends.
  LogSink(int fd, Dropped dropped, std::function<void()> idle);
  ~LogSink() = delete;

  void Push(std::string line);

  // Returns when the pushed lines have been written, or after this time.
  void Flush(std::chrono::milliseconds longest);

 private:
  void Run();
  // Takes the waiting lines and the text about dropped ones.
  std::string TakeAll(std::unique_lock<std::mutex>* lock);
  void Write(const std::string& text) const;

  const int fd_;
  const Dropped describe_dropped_;
  const std::function<void()> idle_;
  std::mutex mutex_;
  std::condition_variable pushed_;
  std::condition_variable written_;
  std::deque<std::string> lines_;
  size_t bytes_ = 0;
  int64_t dropped_ = 0;
  bool writing_ = false;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_LOG_SINK_H_
