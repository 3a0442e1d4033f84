// The threads that serve gRPC's events.
#ifndef PENSTOCK_SERVER_RPC_BASE_IO_H_
#define PENSTOCK_SERVER_RPC_BASE_IO_H_

#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "grpcpp/completion_queue.h"
#include "server/runtime/io_crew.h"

namespace penstock::server {

// Receives the completion of an operation, which it outlives.
class Tag {
 public:
  // Called on an I/O thread; it must not block.
  virtual void OnEvent(bool ok) = 0;

 protected:
  ~Tag() = default;
};

// Takes events from a completion queue in batches, so that the tasks they start can run together
// (see IoCrew). docs/adr/0003-completion-queue.md tells why it has a queue and does not use gRPC's
// callback API.
//
// Two threads serve the queue, of which the crew lets one poll at a time. A thread that a task
// keeps is replaced, up to kMaxThreads; mutex_ guards threads_ alone. No event is handled twice or
// left: the destructor shuts the queue down, joins the threads, and handles the rest itself. The
// handlers of events must not block, and their tags must live until then.
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
  // Handles one batch of events. Returns false once the queue was shut down and is empty.
  bool ServeBatch();

  IoCrew crew_;
  std::unique_ptr<grpc::ServerCompletionQueue> queue_;
  std::mutex mutex_;
  std::vector<std::thread> threads_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_IO_H_
