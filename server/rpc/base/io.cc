#include "server/rpc/base/io.h"

#include <utility>

#include "grpc/support/time.h"

namespace penstock::server {
namespace {

// The most events that are handled before the work they brought begins. More would delay the first
// of them for little gain.
constexpr int kMaxBatch = 32;

// A leader and its deputy.
constexpr int kThreads = 2;

// The most threads, including those in place of threads that a task keeps.
constexpr size_t kMaxThreads = 16;

}  // namespace

IoThreads::IoThreads(std::unique_ptr<grpc::ServerCompletionQueue> queue)
    : queue_(std::move(queue)) {}

void IoThreads::Start() {
  for (int i = 0; i < kThreads; ++i) AddThread();
}

void IoThreads::AddThread() {
  std::lock_guard lock(mutex_);
  if (threads_.size() < kMaxThreads) threads_.emplace_back([this] { Serve(); });
}

IoThreads::~IoThreads() {
  queue_->Shutdown();
  // Each thread may add one, except for the last, which ends when the queue is empty.
  for (size_t i = 0;; ++i) {
    std::thread thread;
    {
      std::lock_guard lock(mutex_);
      if (i == threads_.size()) break;
      thread = std::move(threads_[i]);
    }
    thread.join();
  }
  // These events are left if the threads were never started.
  while (ServeBatch()) {
  }
}

void IoThreads::Serve() {
  while (crew_.Lead()) {
    do {
      if (!ServeBatch()) {
        crew_.Stop();
        return;
      }
      if (crew_.MissesDeputy()) AddThread();
    } while (crew_.StillLeads());
  }
}

bool IoThreads::ServeBatch() {
  void* tag = nullptr;
  bool ok = false;
  if (!queue_->Next(&tag, &ok)) return false;
  const IoCrew::Batch batch(crew_);
  int handled = 0;
  do {
    static_cast<Tag*>(tag)->OnEvent(ok);
  } while (++handled < kMaxBatch && queue_->AsyncNext(&tag, &ok, gpr_time_0(GPR_CLOCK_MONOTONIC)) ==
                                        grpc::CompletionQueue::GOT_EVENT);
  return true;
}

}  // namespace penstock::server
