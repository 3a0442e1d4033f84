// The simplest type of coroutine, for tests of what can be awaited.
#ifndef PENSTOCK_TESTS_SUPPORT_COROUTINE_H_
#define PENSTOCK_TESTS_SUPPORT_COROUTINE_H_

#include <coroutine>
#include <exception>
#include <utility>

namespace penstock::testing {

// A coroutine that starts at once. Its frame ends with this object, wherever the coroutine is.
class Task {
 public:
  struct promise_type {
    Task get_return_object() {
      return Task(std::coroutine_handle<promise_type>::from_promise(*this));
    }
    static std::suspend_never initial_suspend() { return {}; }
    static std::suspend_always final_suspend() noexcept { return {}; }
    static void return_void() {}
    static void unhandled_exception() { std::terminate(); }
  };

  explicit Task(std::coroutine_handle<promise_type> frame) : frame_(frame) {}
  Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() { Destroy(); }

  void Destroy() {
    if (frame_ != nullptr) std::exchange(frame_, nullptr).destroy();
  }

 private:
  std::coroutine_handle<promise_type> frame_;
};

}  // namespace penstock::testing

#endif  // PENSTOCK_TESTS_SUPPORT_COROUTINE_H_
