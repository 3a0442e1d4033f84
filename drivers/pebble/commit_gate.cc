#include "drivers/pebble/commit_gate.h"

namespace penstock::pebble {

CommitGate::Passage::Passage(CommitGate* gate) : gate_(gate) {
  std::unique_lock lock(gate_->mutex_);
  gate_->opened_.wait(lock, [gate] { return !gate->closed_; });
  ++gate_->passing_;
}

CommitGate::Passage::~Passage() {
  std::lock_guard lock(gate_->mutex_);
  if (--gate_->passing_ == 0 && gate_->closed_) gate_->empty_.notify_one();
}

CommitGate::Closed::Closed(CommitGate* gate) : gate_(gate) {
  std::unique_lock lock(gate_->mutex_);
  gate_->opened_.wait(lock, [gate] { return !gate->closed_; });
  gate_->closed_ = true;
  gate_->empty_.wait(lock, [gate] { return gate->passing_ == 0; });
}

CommitGate::Closed::~Closed() {
  {
    std::lock_guard lock(gate_->mutex_);
    gate_->closed_ = false;
  }
  gate_->opened_.notify_all();
}

}  // namespace penstock::pebble
