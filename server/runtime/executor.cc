#include "server/runtime/executor.h"

#include <algorithm>
#include <utility>

namespace penstock::server {
namespace {

// The batch of events that this thread is handling, if it is an I/O thread.
thread_local IoCrew::Batch* current_batch = nullptr;

bool TakeOne(std::atomic<int>& count) {
  int value = count.load();
  while (value > 0) {
    if (count.compare_exchange_weak(value, value - 1)) return true;
  }
  return false;
}

}  // namespace

Executor::Executor(Options options, const Clock& clock) : options_(options), clock_(clock) {
  for (int i = 0; i < options_.threads; ++i) {
    workers_.push_back(std::make_unique<Worker>());
    parked_.push_back(workers_.back().get());
  }
  for (const auto& worker : workers_) {
    threads_.emplace_back([this, w = worker.get()] { ThreadMain(w); });
  }
}

Executor::~Executor() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    for (Worker* worker : parked_) {
      worker->awake = true;
      worker->wake.notify_one();
    }
    active_.insert(active_.end(), parked_.begin(), parked_.end());
    parked_.clear();
  }
  for (std::thread& thread : threads_) thread.join();
}

void Executor::PushLocked(Task* task) {
  task->next_ = nullptr;
  *tail_ = task;
  tail_ = &task->next_;
  ++queued_;
}

bool Executor::AnyWorkerFreshLocked() const {
  const TimePoint busy_since = clock_.Now() - kBusyAfter;
  return std::any_of(active_.begin(), active_.end(),
                     [&](const Worker* worker) { return worker->task_began > busy_since; });
}

Executor::Worker* Executor::WorkerToWakeLocked() {
  if (head_ == nullptr || parked_.empty()) return nullptr;
  if (options_.embedded && AnyWorkerFreshLocked()) return nullptr;
  Worker* worker = parked_.back();
  parked_.pop_back();
  // It counts as active from now on, so that the next task does not wake another.
  worker->awake = true;
  worker->task_began = clock_.Now();
  active_.push_back(worker);
  return worker;
}

void Executor::Enqueue(Task* task) {
  Worker* worker = nullptr;
  {
    std::lock_guard lock(mutex_);
    PushLocked(task);
    if (current_batch == nullptr) worker = WorkerToWakeLocked();
  }
  if (worker != nullptr) worker->wake.notify_one();
  if (current_batch != nullptr) current_batch->Add(this);
}

void Executor::Tick() { Kick(nullptr); }

size_t Executor::queued() const {
  std::lock_guard lock(mutex_);
  return queued_;
}

void Executor::Kick(std::atomic<int>* spare_io_threads) {
  Worker* woken = nullptr;
  {
    std::unique_lock lock(mutex_);
    if (head_ == nullptr) return;
    if (spare_io_threads != nullptr && options_.embedded && !AnyWorkerFreshLocked() &&
        TakeOne(*spare_io_threads)) {
      Worker self;
      active_.push_back(&self);
      RunQueuedLocked(lock, &self);
      std::erase(active_, &self);
      lock.unlock();
      spare_io_threads->fetch_add(1);
      return;
    }
    woken = WorkerToWakeLocked();
  }
  if (woken != nullptr) woken->wake.notify_one();
}

void Executor::RunQueuedLocked(std::unique_lock<std::mutex>& lock, Worker* worker) {
  while (head_ != nullptr) {
    Task* task = head_;
    head_ = task->next_;
    if (head_ == nullptr) tail_ = &head_;
    --queued_;
    worker->task_began = clock_.Now();
    lock.unlock();
    task->Run();
    lock.lock();
  }
}

void Executor::ThreadMain(Worker* worker) {
  std::unique_lock lock(mutex_);
  for (;;) {
    worker->wake.wait(lock, [worker] { return worker->awake; });
    RunQueuedLocked(lock, worker);
    if (stopping_) return;
    worker->awake = false;
    std::erase(active_, worker);
    parked_.push_back(worker);
  }
}

IoCrew::Batch::Batch(IoCrew& crew) : crew_(crew) { current_batch = this; }

IoCrew::Batch::~Batch() {
  current_batch = nullptr;
  for (Executor* executor : executors_) executor->Kick(&crew_.spare_);
}

void IoCrew::Batch::Add(Executor* executor) {
  if (std::find(executors_.begin(), executors_.end(), executor) == executors_.end()) {
    executors_.push_back(executor);
  }
}

}  // namespace penstock::server
