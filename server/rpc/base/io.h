// The threads that serve gRPC's events.
#ifndef PENSTOCK_SERVER_RPC_BASE_IO_H_
#define PENSTOCK_SERVER_RPC_BASE_IO_H_

#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "grpcpp/completion_queue.h"
#include "server/runtime/thread_pool.h"

namespace penstock::server {

// What a completion means. A tag outlives the operation it was given to.
class Tag {
 public:
  // Called on an I/O thread; it must not block.
  virtual void OnEvent(bool ok) = 0;

 protected:
  ~Tag() = default;
};

// Takes events from a completion queue in batches, so that what they start can
// run together (see IoCrew). Why a queue of our own and not gRPC's callback
// API is in docs/adr/0003-completion-queue.md.
class IoThreads {
 public:
  explicit IoThreads(std::unique_ptr<grpc::ServerCompletionQueue> queue);
  // Shuts the queue down and handles what is left in it. The server was shut
  // down before.
  ~IoThreads();
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  grpc::ServerCompletionQueue* queue() { return queue_.get(); }
  // Begins to serve.
  void Start();

 private:
  void AddThread();
  void Serve();
  // Handles one batch of events. False: the queue was shut down and is empty.
  bool ServeBatch();

  IoCrew crew_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::mutex mutex_;
  std::vector<std::thread> threads_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_IO_H_
