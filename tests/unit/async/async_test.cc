// Async by itself: who completes, who destroys, and when.
#include "penstock/async.h"

#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "penstock/make_rows.h"
#include "tests/support/coroutine.h"

namespace penstock {
namespace {

using testing::Task;

// A call that another thread completes.
class ThreadCall final : public internal::AsyncCall<int>,
                         public std::enable_shared_from_this<ThreadCall> {
 public:
  explicit ThreadCall(int result) : result_(result) {}
  ~ThreadCall() override {
    // The thread itself may have the last reference.
    thread_.get_id() == std::this_thread::get_id() ? thread_.detach() : thread_.join();
  }

  absl::StatusOr<int> Take() override { return result_; }
  bool cancelled() const { return cancelled_; }
  // Lets it complete.
  void LetGo() { go_.set_value(); }

 protected:
  void Begin() override {
    thread_ = std::thread([this, weak = weak_from_this(), go = go_.get_future()] {
      go.wait();
      if (auto self = weak.lock()) Complete(std::move(self));
    });
  }
  void Cancel() override { cancelled_ = true; }

 private:
  const int result_;
  std::atomic<bool> cancelled_ = false;
  std::promise<void> go_;
  std::thread thread_;
};

Task Await(std::shared_ptr<ThreadCall> call, const AsyncExecutor& executor,
           std::promise<int>* result) {
  auto got = co_await Async<int>(std::move(call)).On(executor);
  result->set_value(*got);
}

TEST(AsyncTest, ACallbackGetsTheResultOfAnotherThread) {
  const auto call = std::make_shared<ThreadCall>(7);
  std::promise<int> result;
  Async<int>(call).Start([&](absl::StatusOr<int> got) { result.set_value(*got); });
  call->LetGo();
  EXPECT_EQ(result.get_future().get(), 7);
}

TEST(AsyncTest, ACoroutineGoesOnInItsExecutor) {
  const auto call = std::make_shared<ThreadCall>(7);
  std::promise<int> result;
  std::promise<absl::AnyInvocable<void()>> posted;
  const Task task = Await(
      call, [&](absl::AnyInvocable<void()> next) { posted.set_value(std::move(next)); }, &result);
  call->LetGo();
  auto future = result.get_future();
  absl::AnyInvocable<void()> next = posted.get_future().get();
  EXPECT_NE(future.wait_for(std::chrono::seconds(0)), std::future_status::ready);
  next();
  EXPECT_EQ(future.get(), 7);
}

TEST(AsyncTest, ACoroutineThatIsDestroyedIsNotResumed) {
  for (const bool posted_first : {false, true}) {
    const auto call = std::make_shared<ThreadCall>(7);
    std::promise<int> result;
    std::promise<absl::AnyInvocable<void()>> posted;
    auto next = posted.get_future();
    {
      const Task task = Await(
          call, [&](absl::AnyInvocable<void()> each) { posted.set_value(std::move(each)); },
          &result);
      if (posted_first) call->LetGo();
      if (posted_first) next.wait();
    }
    if (!posted_first) call->LetGo();
    next.get()();
    EXPECT_TRUE(call->cancelled());
    EXPECT_NE(result.get_future().wait_for(std::chrono::seconds(0)), std::future_status::ready);
  }
}

// Destruction in one thread while another completes, many times: with an executor the test decides
// who resumes, so that the frame is not resumed and destroyed at once.
TEST(AsyncTest, DestructionAndCompletionMayMeet) {
  for (int i = 0; i < 500; ++i) {
    const auto call = std::make_shared<ThreadCall>(i);
    std::promise<int> result;
    std::promise<absl::AnyInvocable<void()>> posted;
    auto next = posted.get_future();
    {
      const Task task = Await(
          call, [&](absl::AnyInvocable<void()> each) { posted.set_value(std::move(each)); },
          &result);
      call->LetGo();
    }
    next.get()();
  }
}

TEST(AsyncTest, WhatIsNotStartedDoesNothing) {
  bool ran = false;
  {
    auto dropped = AsyncOf<int>([&]() -> absl::StatusOr<int> {
      ran = true;
      return 1;
    });
  }
  EXPECT_FALSE(ran);
}

TEST(AsyncTest, AFunctionRunsInAThreadOfItsOwn) {
  std::promise<std::thread::id> completed;
  AsyncOf<void>([] { return absl::OkStatus(); }).Start([&](absl::Status status) {
    EXPECT_TRUE(status.ok());
    completed.set_value(std::this_thread::get_id());
  });
  EXPECT_NE(completed.get_future().get(), std::this_thread::get_id());
}

Task ReadAll(Rows* rows, std::vector<int>* all, absl::Status* end) {
  for (;;) {
    const absl::StatusOr<bool> more = co_await rows->NextAsync();
    *end = more.status();
    if (!more.ok() || !*more) co_return;
    EXPECT_TRUE(rows->Scan(&all->emplace_back()).ok());
  }
}

TEST(AsyncTest, RowsInMemoryNeedNoThread) {
  const auto rows = MakeRows({"n"}, {{1}, {2}}, absl::AbortedError("cut off"));
  std::vector<int> all;
  absl::Status end;
  const Task task = ReadAll(rows.get(), &all, &end);
  EXPECT_THAT(all, ::testing::ElementsAre(1, 2));
  EXPECT_TRUE(absl::IsAborted(end));
}

}  // namespace
}  // namespace penstock
