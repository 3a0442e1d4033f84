#include "server/rpc/io.h"

#include <utility>

#include "grpc/support/time.h"

namespace penstock::server {
namespace {

// Events handled before the work they brought begins. More would delay the
// first of them for little gain.
constexpr int kMaxBatch = 64;

}  // namespace

IoThreads::IoThreads(std::unique_ptr<grpc::ServerCompletionQueue> queue, int threads)
    : count_(threads), crew_(threads), queue_(std::move(queue)) {}

void IoThreads::Start() {
  for (int i = 0; i < count_; ++i) threads_.emplace_back([this] { Serve(); });
}

IoThreads::~IoThreads() {
  queue_->Shutdown();
  for (std::thread& thread : threads_) thread.join();
  void* tag = nullptr;
  bool ok = false;
  // Only if it was never started.
  while (queue_->Next(&tag, &ok)) static_cast<Tag*>(tag)->OnEvent(ok);
}

void IoThreads::Serve() {
  void* tag = nullptr;
  bool ok = false;
  while (queue_->Next(&tag, &ok)) {
    const IoCrew::Batch batch(crew_);
    int handled = 0;
    do {
      static_cast<Tag*>(tag)->OnEvent(ok);
    } while (++handled < kMaxBatch &&
             queue_->AsyncNext(&tag, &ok, gpr_time_0(GPR_CLOCK_MONOTONIC)) ==
                 grpc::CompletionQueue::GOT_EVENT);
  }
}

}  // namespace penstock::server
