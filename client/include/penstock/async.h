// Calls that do not block: with a callback, or to be awaited by a coroutine of C++20.
//
// A function whose name ends with Async makes an Async<T>, which does nothing until it is started,
// in one of two ways:
//
//   db->QueryAsync(ctx, "SELECT name FROM users WHERE id = $1", 7)
//       .Start([](absl::StatusOr<std::unique_ptr<Rows>> rows) { Use(std::move(rows)); });
//
//   inline Task UseName(Provider& shop, Context within) {
//     Use(co_await shop.QueryAsync(within, "SELECT name FROM users WHERE id = $1", 7));
//   }
//
// The rules:
//
// - A call that was started completes exactly once, whatever happens, and never inside the function
//   that has started it, though another thread may complete it before that function has returned.
//   It completes under no lock of the library: its callback may make calls, and destroy the
//   Provider. The exceptions are a coroutine that was destroyed, and an executor that drops its
//   task: then nothing is called.
// - It completes where its executor says (Async::On). Without one it does so in the Provider's own
//   thread, of which there is one for all calls: the callback must not block then, nor wait for
//   another call, which would wait for this very thread. Calls that block fail there with
//   FAILED_PRECONDITION.
// - The arguments are taken when the Async is made. Nothing is sent before it is started. One that
//   is destroyed without having been started does nothing.
// - The Context limits it as it limits a call that blocks, and Context::Cancel ends it. Outcomes,
//   errors and what is repeated are the same, too: see provider.h.
// - A coroutine may be destroyed while it waits, as long as nothing resumes it at the same moment,
//   that is, by its executor or before it was started. The call is then cancelled; whether it has
//   had an effect is not known. Nothing waits for that.
// - A call holds what it needs: a Statement or a KeyValue may be destroyed while its calls are in
//   flight. When a Provider and everything that it has made are destroyed, or the Provider is
//   closed, calls in flight end as when a Provider is closed; the destructor does not wait for
//   their completions.
// - Callbacks and executors must not throw.
//
// Any number of calls may be in flight; they need no thread each. A daemon that is older than
// these calls answers UNIMPLEMENTED. Calls of a Transaction do not have this form.
#ifndef PENSTOCK_ASYNC_H_
#define PENSTOCK_ASYNC_H_

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace penstock {

// Runs completions. It is called once for a call, by the Provider's own thread, with a task to run
// once, soon, in any thread. It must not block, and may run the task before it returns. Of an
// executor that refers to something else, such as an io_context, that has to outlive the call.
//
//   AsyncExecutor executor = [](absl::AnyInvocable<void()> task) { Schedule(std::move(task)); };
using AsyncExecutor = std::function<void(absl::AnyInvocable<void()>)>;

namespace internal {

template <typename T>
struct AsyncResultOf {
  using Type = absl::StatusOr<T>;
};
template <>
struct AsyncResultOf<void> {
  using Type = absl::Status;
};

// A call behind an Async. Always held by a shared_ptr.
class AsyncOperation {
 public:
  AsyncOperation() = default;
  AsyncOperation(const AsyncOperation&) = delete;
  AsyncOperation& operator=(const AsyncOperation&) = delete;
  virtual ~AsyncOperation() = default;

  void SetExecutor(AsyncExecutor executor) { executor_ = std::move(executor); }
  // Starts the call. `then` is called when it has completed. Called once.
  void Start(absl::AnyInvocable<void()> then);
  // Makes sure that `then` is not called any more, and cancels the call.
  void Abandon();
  // Returns true if the result is there without a call.
  virtual bool ready() const { return false; }

 protected:
  // Begins the call, which calls Complete exactly once, under no lock and not inside Begin.
  virtual void Begin() = 0;
  // Nobody waits any more. Whether Complete is called then does not matter.
  virtual void Cancel() = 0;
  // `self` is this object.
  static void Complete(std::shared_ptr<AsyncOperation> self);
  const AsyncExecutor& executor() const { return executor_; }

 private:
  enum class Stage : uint8_t { kNotStarted, kWaiting, kOver };

  void Finish();

  AsyncExecutor executor_;
  absl::AnyInvocable<void()> then_;
  std::atomic<Stage> stage_{Stage::kNotStarted};
};

template <typename T>
class AsyncCall : public AsyncOperation {
 public:
  // Returns the result. Called once, after the completion or if ready() is true.
  virtual typename AsyncResultOf<T>::Type Take() = 0;
};

}  // namespace internal

// What a call gives: absl::StatusOr<T>, or absl::Status if T is void.
template <typename T>
using AsyncResult = typename internal::AsyncResultOf<T>::Type;

// A call that has not been started; see above. Movable. Not thread-safe.
template <typename T>
class [[nodiscard]] Async {
 public:
  using Result = AsyncResult<T>;

  // Used by implementations of the library's interfaces only; see AsyncOf for others.
  explicit Async(std::shared_ptr<internal::AsyncCall<T>> call) : call_(std::move(call)) {}

  // Makes it complete where `executor` says.
  Async On(AsyncExecutor executor) && {
    call_->SetExecutor(std::move(executor));
    return std::move(*this);
  }

  // Starts the call and returns at once. `done` is called when it has completed.
  void Start(absl::AnyInvocable<void(Result)> done) && {
    internal::AsyncCall<T>* const call = call_.get();
    std::exchange(call_, nullptr)->Start([call, done = std::move(done)]() mutable {
      done(call->Take());
    });
  }
  void Start(AsyncExecutor executor, absl::AnyInvocable<void(Result)> done) && {
    std::move(*this).On(std::move(executor)).Start(std::move(done));
  }

  // Starts the call in a co_await, which gives the Result. The coroutine goes on where the executor
  // says. Any type of coroutine can await it.
  class Awaiter {
   public:
    explicit Awaiter(std::shared_ptr<internal::AsyncCall<T>> call) : call_(std::move(call)) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;
    ~Awaiter() {
      if (waiting_) call_->Abandon();
    }

    bool await_ready() const { return call_->ready(); }
    void await_suspend(std::coroutine_handle<> waiter) {
      waiting_ = true;
      // The coroutine may go on, and this object end, before Start has returned.
      const std::shared_ptr<internal::AsyncCall<T>> call = call_;
      call->Start([waiter] { waiter.resume(); });
    }
    Result await_resume() {
      waiting_ = false;
      return call_->Take();
    }

   private:
    const std::shared_ptr<internal::AsyncCall<T>> call_;
    bool waiting_ = false;
  };
  Awaiter operator co_await() && { return Awaiter(std::move(call_)); }

 private:
  std::shared_ptr<internal::AsyncCall<T>> call_;
};

namespace internal {

// Runs `task` in a thread of its own.
void RunInNewThread(absl::AnyInvocable<void()> task);

// A call that a function makes, which may block.
template <typename T, typename Function>
class FunctionCall final : public AsyncCall<T>,
                           public std::enable_shared_from_this<FunctionCall<T, Function>> {
 public:
  explicit FunctionCall(Function function) : function_(std::move(function)) {}

  AsyncResult<T> Take() override { return std::move(result_); }

 protected:
  void Begin() override {
    RunInNewThread([self = this->shared_from_this()] {
      self->result_ = self->function_();
      AsyncOperation::Complete(self);
    });
  }
  void Cancel() override {}

 private:
  Function function_;
  AsyncResult<T> result_ = absl::UnknownError("the call has not completed");
};

// A call whose result is there: a coroutine that awaits it goes on at once.
template <typename T, typename Function>
class ImmediateCall final : public AsyncCall<T>,
                            public std::enable_shared_from_this<ImmediateCall<T, Function>> {
 public:
  explicit ImmediateCall(Function function) : function_(std::move(function)) {}

  bool ready() const override { return true; }
  AsyncResult<T> Take() override { return function_(); }

 protected:
  void Begin() override {
    RunInNewThread([self = this->shared_from_this()] { AsyncOperation::Complete(self); });
  }
  void Cancel() override {}

 private:
  Function function_;
};

}  // namespace internal

// Makes an asynchronous call of a function that may block and returns an AsyncResult<T>. Each such
// call has a thread of its own while it runs. The interfaces of the library use it where an
// implementation, such as a mock, has only the call that blocks.
template <typename T, typename Function>
Async<T> AsyncOf(Function function) {
  return Async<T>(std::make_shared<internal::FunctionCall<T, Function>>(std::move(function)));
}

}  // namespace penstock

#endif  // PENSTOCK_ASYNC_H_
