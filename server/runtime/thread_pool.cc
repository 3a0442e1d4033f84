#include "server/runtime/thread_pool.h"

#include <algorithm>

#include "server/runtime/io_crew.h"

namespace penstock::server {

ThreadPool::ThreadPool(Options options, const Clock& clock) : options_(options), clock_(clock) {
  std::lock_guard lock(mutex_);
  for (int i = 0; i < options_.threads; ++i) AddThreadLocked();
}

void ThreadPool::AddThreadLocked() {
  workers_.push_back(std::make_unique<Worker>());
  Worker* worker = workers_.back().get();
  parked_.push_back(worker);
  // It begins with taking the lock.
  threads_.emplace_back([this, worker] { ThreadMain(worker); });
}

void ThreadPool::ProvideExtra(int extra) {
  std::lock_guard lock(mutex_);
  const int wanted = options_.threads + extra;
  while (threads_.size() < static_cast<size_t>(wanted)) AddThreadLocked();
}

void ThreadPool::Stop() {
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
  threads_.clear();
}

void ThreadPool::Queue::Push(Task* task) {
  task->next_ = nullptr;
  *tail = task;
  tail = &task->next_;
}

Task* ThreadPool::Queue::Pop() {
  Task* task = first;
  first = task->next_;
  if (first == nullptr) tail = &first;
  return task;
}

bool ThreadPool::AnyWorkerFreshLocked(Task::Kind kind) const {
  const TimePoint busy_since = clock_.Now() - kBusyAfter;
  return std::any_of(active_.begin(), active_.end(), [&](const Worker* worker) {
    return worker->task_began > busy_since && (kind == Task::Kind::kBrief || !worker->stands_in);
  });
}

ThreadPool::Worker* ThreadPool::WorkerToWakeLocked() {
  if (queued_ == 0 || parked_.empty()) return nullptr;
  const Task::Kind kind = blocking_.first != nullptr ? Task::Kind::kBlocking : Task::Kind::kBrief;
  if (options_.embedded && AnyWorkerFreshLocked(kind)) return nullptr;
  Worker* worker = parked_.back();
  parked_.pop_back();
  // It counts as active from now on, so that the next task does not wake another.
  worker->awake = true;
  worker->task_began = clock_.Now();
  active_.push_back(worker);
  return worker;
}

void ThreadPool::Enqueue(Task* task) {
  IoCrew::Batch* const batch = IoCrew::Batch::Current();
  Worker* worker = nullptr;
  {
    std::lock_guard lock(mutex_);
    (task->kind_ == Task::Kind::kBrief ? brief_ : blocking_).Push(task);
    ++queued_;
    if (batch == nullptr) worker = WorkerToWakeLocked();
  }
  if (worker != nullptr) worker->wake.notify_one();
  if (batch != nullptr) batch->Add(this);
}

void ThreadPool::Tick() { Kick(nullptr); }

size_t ThreadPool::queued() const {
  std::lock_guard lock(mutex_);
  return queued_;
}

void ThreadPool::Kick(IoCrew* crew) {
  Worker* woken = nullptr;
  {
    std::unique_lock lock(mutex_);
    if (crew != nullptr && options_.embedded && brief_.first != nullptr &&
        !AnyWorkerFreshLocked(Task::Kind::kBrief) && crew->TryStandIn()) {
      Worker* for_blocking = blocking_.first != nullptr ? WorkerToWakeLocked() : nullptr;
      if (for_blocking != nullptr) for_blocking->wake.notify_one();
      Worker self;
      self.stands_in = true;
      active_.push_back(&self);
      RunQueuedLocked(lock, &self);
      std::erase(active_, &self);
      lock.unlock();
      crew->EndStandIn();
      return;
    }
    woken = WorkerToWakeLocked();
  }
  if (woken != nullptr) woken->wake.notify_one();
}

void ThreadPool::RunQueuedLocked(std::unique_lock<std::mutex>& lock, Worker* worker) {
  for (;;) {
    Queue* queue = brief_.first != nullptr ? &brief_ : &blocking_;
    if (blocking_.first != nullptr && !worker->stands_in) queue = &blocking_;
    if (queue->first == nullptr || (queue == &blocking_ && worker->stands_in)) return;
    Task* task = queue->Pop();
    --queued_;
    worker->task_began = clock_.Now();
    lock.unlock();
    task->Run();
    lock.lock();
  }
}

void ThreadPool::ThreadMain(Worker* worker) {
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

}  // namespace penstock::server
