#include "penstock/context.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "client/src/cancellation.h"
#include "client/src/status.h"
#include "grpcpp/client_context.h"

namespace penstock {

Context::Context() : cancellation_(std::make_shared<internal::Cancellation>()) {}

Context Context::Child() const {
  Context child = *this;
  child.cancellation_ = std::make_shared<internal::Cancellation>(cancellation_);
  return child;
}

Context Context::WithDeadline(absl::Time deadline) const {
  Context context = Child();
  context.deadline_ = std::min(deadline_, deadline);
  return context;
}

Context Context::WithTimeout(absl::Duration timeout) const {
  return WithDeadline(absl::Now() + timeout);
}

Context Context::WithTraceParent(std::string_view trace_parent) const {
  Context context = Child();
  context.trace_parent_ = trace_parent;
  return context;
}

Context Context::WithStaleness(absl::Duration ago) const {
  Context context = Child();
  context.staleness_ = ago;
  return context;
}

Context Context::WithSetting(std::string_view name, std::string_view value) const {
  Context context = Child();
  auto settings = std::make_shared<std::map<std::string, std::string>>(this->settings());
  settings->insert_or_assign(std::string(name), std::string(value));
  context.settings_ = std::move(settings);
  return context;
}

const std::map<std::string, std::string>& Context::settings() const {
  static const auto* const none = new std::map<std::string, std::string>();
  return settings_ != nullptr ? *settings_ : *none;
}

void Context::Cancel() const { cancellation_->Cancel(); }

bool Context::cancelled() const { return cancellation_->cancelled(); }

namespace internal {

Cancellation::Cancellation(std::shared_ptr<Cancellation> parent) : parent_(std::move(parent)) {
  const std::lock_guard lock(parent_->mutex_);
  place_ = parent_->children_.insert(parent_->children_.end(), this);
  cancelled_ = parent_->cancelled_;
}

Cancellation::~Cancellation() {
  if (parent_ == nullptr) return;
  const std::lock_guard lock(parent_->mutex_);
  parent_->children_.erase(place_);
}

void Cancellation::Cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  // Under the lock, so that nothing is destroyed while it is being cancelled.
  for (const Listening* each = first_; each != nullptr; each = each->next_) {
    each->what_->Cancelled();
  }
  for (Cancellation* child : children_) child->Cancel();
  changed_.notify_all();
}

bool Cancellation::WaitUntil(absl::Time time) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, absl::ToChronoTime(time), [this] { return cancelled_; });
}

bool Cancellation::cancelled() const {
  const std::lock_guard lock(mutex_);
  return cancelled_;
}

Listening::Listening(const Context& ctx, Cancellable* what) : ctx_(ctx), what_(what) {
  Cancellation* cancellation = ctx_.cancellation();
  const std::lock_guard lock(cancellation->mutex_);
  next_ = cancellation->first_;
  if (next_ != nullptr) next_->previous_ = this;
  cancellation->first_ = this;
  if (cancellation->cancelled_) what_->Cancelled();
}

Listening::~Listening() {
  Cancellation* cancellation = ctx_.cancellation();
  const std::lock_guard lock(cancellation->mutex_);
  if (next_ != nullptr) next_->previous_ = previous_;
  (previous_ != nullptr ? previous_->next_ : cancellation->first_) = next_;
}

CancelScope::CancelScope(const Context& ctx, grpc::ClientContext* call)
    : ctx_(ctx), call_(call), listening_(ctx_, this) {}

// TryCancel does not block.
void CancelScope::Cancelled() { call_->TryCancel(); }

absl::Status CheckBeforeCall(const Context& ctx) {
  if (ctx.cancelled()) return CancelledByCaller();
  if (ctx.deadline() <= absl::Now()) return CallDeadlinePassed();
  return absl::OkStatus();
}

}  // namespace internal
}  // namespace penstock
