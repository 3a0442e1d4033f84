// The work of a call on its database's thread pool.
#ifndef PENSTOCK_SERVER_RPC_BASE_CALL_TASK_H_
#define PENSTOCK_SERVER_RPC_BASE_CALL_TASK_H_

#include <functional>
#include <utility>

#include "server/database/database.h"
#include "server/rpc/base/call.h"
#include "server/runtime/thread_pool.h"

namespace penstock::server {

// A member of its call. Keeps the call alive from Enqueue until `work` has returned; `work` may
// enqueue it again, or destroy it.
class CallTask final : public Task {
 public:
  CallTask(Call* call, std::function<void()> work, Kind kind = Kind::kBrief)
      : Task(kind), call_(call), work_(std::move(work)) {}

  void Enqueue(Database& database) {
    call_->Ref();
    database.thread_pool().Enqueue(this);
  }

 private:
  void Run() override {
    Call* const call = call_;
    work_();
    call->Unref();
  }

  Call* const call_;
  const std::function<void()> work_;
};

}  // namespace penstock::server

#endif  // PENSTOCK_SERVER_RPC_BASE_CALL_TASK_H_
