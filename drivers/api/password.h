// A password that may change while it is in use.
#ifndef PENSTOCK_DRIVERS_API_PASSWORD_H_
#define PENSTOCK_DRIVERS_API_PASSWORD_H_

#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace penstock::driver {

// Copies are one: what is set by one of them, all of them have. So whoever connects asks
// at each attempt. A secret: it never appears in an error, a log or a metric. Thread-safe,
// but for assigning to the object itself.
class Password {
 public:
  // Empty: there is none.
  explicit Password(std::string text = "") : state_(std::make_shared<State>()) {
    state_->text = std::move(text);
  }

  // The one of now.
  std::string Get() const {
    std::lock_guard lock(state_->mutex);
    return state_->text;
  }

  // Changes the password of every copy.
  void Set(std::string text) {
    std::lock_guard lock(state_->mutex);
    state_->text = std::move(text);
  }

 private:
  struct State {
    std::mutex mutex;
    std::string text;
  };
  std::shared_ptr<State> state_;
};

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_PASSWORD_H_
