// Runs the handlers, one after the other.
#ifndef PENSTOCK_SERVER_HTTP_WORKER_H_
#define PENSTOCK_SERVER_HTTP_WORKER_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace penstock::server {

// Runs slow work on a thread of its own, so that quick work (/healthz, reading requests) does not
// wait for it. Thread-safe.
class HttpWorker {
 public:
  HttpWorker() : thread_([this] { Run(); }) {}
  // Runs the waiting work.
  ~HttpWorker();
  HttpWorker(const HttpWorker&) = delete;
  HttpWorker& operator=(const HttpWorker&) = delete;

  void Enqueue(std::function<void()> task);

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_HTTP_WORKER_H_
