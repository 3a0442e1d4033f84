// Who may touch what of a call: `then_` and the executor are set by whoever starts it, before
// Begin. From then on the exchange of `stage_` decides between the completion and Abandon; `then_`
// belongs to the completion. So a coroutine that is destroyed while its task waits in the executor
// is not resumed.
#include "penstock/async.h"

#include <thread>
#include <utility>

namespace penstock::internal {

void AsyncOperation::Start(absl::AnyInvocable<void()> then) {
  then_ = std::move(then);
  stage_ = Stage::kWaiting;
  Begin();
}

void AsyncOperation::Abandon() {
  if (stage_.exchange(Stage::kOver) == Stage::kWaiting) Cancel();
}

void AsyncOperation::Complete(std::shared_ptr<AsyncOperation> self) {
  AsyncOperation& operation = *self;
  if (operation.executor_ == nullptr) return operation.Finish();
  // Not by reference: the task may run, and the operation end, while the executor is being called.
  const AsyncExecutor executor = operation.executor_;
  executor([self = std::move(self)] { self->Finish(); });
}

void AsyncOperation::Finish() {
  if (stage_.exchange(Stage::kOver) != Stage::kWaiting) return;
  absl::AnyInvocable<void()> then = std::move(then_);
  then();
}

void RunInNewThread(absl::AnyInvocable<void()> task) { std::thread(std::move(task)).detach(); }

}  // namespace penstock::internal
