#include "drivers/api/password.h"

#include <mutex>
#include <utility>

#include "text/wipe.h"

namespace penstock::driver {
namespace {

// Moves `text` into the place of a secret. Short texts lie in the objects themselves, where moving
// leaves them behind.
void Overwrite(std::string* secret, std::string text) {
  Wipe(secret);
  *secret = text;
  Wipe(&text);
}

}  // namespace

struct Password::State {
  ~State() { Overwrite(&text, ""); }

  std::mutex mutex;
  std::string text;
  // Null: there is none.
  std::shared_ptr<const Source> source;
};

Password::Password(std::string text) : state_(std::make_shared<State>()) {
  Overwrite(&state_->text, std::move(text));
}

std::string Password::Get() const {
  std::shared_ptr<const Source> source;
  {
    std::lock_guard lock(state_->mutex);
    source = state_->source;
  }
  // The source reads a file; nobody who only wants the last password waits for that.
  std::optional<std::string> now;
  if (source != nullptr) {
    std::string so_far = Last();
    now = (*source)(so_far);
    Wipe(&so_far);
  }
  std::lock_guard lock(state_->mutex);
  // Whoever has set another password meanwhile knows better.
  if (now.has_value() && source == state_->source) Overwrite(&state_->text, *std::move(now));
  return state_->text;
}

std::string Password::Last() const {
  std::lock_guard lock(state_->mutex);
  return state_->text;
}

void Password::Set(std::string text) { Replace(std::move(text), nullptr); }

void Password::Follow(Source source) {
  auto shared = std::make_shared<const Source>(std::move(source));
  std::lock_guard lock(state_->mutex);
  state_->source = std::move(shared);
}

void Password::Take(const Password& other) {
  if (state_ == other.state_) return;
  std::string text;
  std::shared_ptr<const Source> source;
  {
    std::lock_guard lock(other.state_->mutex);
    text = other.state_->text;
    source = other.state_->source;
  }
  Replace(std::move(text), std::move(source));
}

void Password::Keep() {
  std::lock_guard lock(state_->mutex);
  state_->source = nullptr;
}

void Password::Replace(std::string text, std::shared_ptr<const Source> source) {
  std::lock_guard lock(state_->mutex);
  Overwrite(&state_->text, std::move(text));
  state_->source = std::move(source);
}

}  // namespace penstock::driver
