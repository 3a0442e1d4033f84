#include "server/rpc/key_value/operations.h"

namespace penstock::server {

void BatchGetRows::Start(const v1::BatchGetRequest& request, v1::BatchGetResponse* response) {
  request_ = &request;
  response_ = response;
  places_.clear();
  for (int i = 0; i < request.keys_size(); ++i) places_[request.keys(i)].push_back(i);
  Begin({});
}

void BatchGetRows::Clear() {
  response_->Clear();
  for (int i = 0; i < request_->keys_size(); ++i) response_->add_results();
}

void BatchGetRows::OnKey(std::string_view key) {
  const auto found = places_.find(key);
  current_ = found == places_.end() ? nullptr : &found->second;
}

void BatchGetRows::OnValue(std::string_view value) {
  if (current_ == nullptr) return;
  for (const int place : *current_) {
    v1::BatchGetResponse::Result* result = response_->mutable_results(place);
    result->set_found(true);
    result->set_value(value.data(), value.size());
  }
}

absl::Status ScanOperation::Start(Call& call, const Request& request, CallRun* run) {
  has_part_ = false;
  rows_.Begin({});
  run->limits.max_bytes = call.answer_limits().first_batch;
  return StartKeys(kRpc, "kv scan", call, request, &rows_, run);
}

bool ScanOperation::TakePart(std::string* part) {
  if (!std::exchange(has_part_, false)) return false;
  *part = rows_.response()->SerializeAsString();
  rows_.response()->clear_entries();
  rows_.OnTaken();
  return true;
}

}  // namespace penstock::server
