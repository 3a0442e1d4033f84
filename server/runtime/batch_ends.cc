#include "server/runtime/batch_ends.h"

#include <algorithm>

namespace penstock::server {

thread_local BatchEnds* BatchEnds::current_ = nullptr;

BatchEnds::BatchEnds() {
  if (current_ == nullptr) current_ = this;
}

BatchEnds::~BatchEnds() {
  if (current_ != this) return;
  // Whoever is told may answer others, for whom there is no batch any more.
  current_ = nullptr;
  for (AtBatchEnd* who : deferred_) who->OnBatchEnd();
}

bool BatchEnds::Defer(AtBatchEnd* who) {
  // The answers of one stream most often stand together, and few streams share a batch.
  if (std::find(deferred_.rbegin(), deferred_.rend(), who) != deferred_.rend()) return false;
  deferred_.push_back(who);
  return true;
}

}  // namespace penstock::server
