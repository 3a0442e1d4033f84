#include "server/rpc/key_value/arguments.h"

#include <algorithm>
#include <utility>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::server {
namespace {

using driver::KeyCondition;
using driver::KeyMutation;
using driver::MakeError;
using driver::MakeErrorWithHint;
using driver::Reason;

constexpr std::string_view kDefaultKeyspace = "kv";

absl::Status Unset(std::string_view what, std::string_view choice) {
  return MakeErrorWithHint(Reason::kInvalidParameter, fmt::format("{} has no field set", what),
                           fmt::format("set one of {}", choice));
}

}  // namespace

void KeyValueArguments::Start(Kind kind, const std::string& keyspace) {
  run_.kind = kind;
  run_.keyspace = keyspace.empty() ? kDefaultKeyspace : std::string_view(keyspace);
  run_.range = {};
  run_.reverse = false;
  run_.keys_only = false;
  run_.limit = 0;
  keys_.clear();
  conditions_.clear();
  mutations_.clear();
  kept_.clear();
}

absl::Status KeyValueArguments::Finish() {
  run_.keys = keys_;
  run_.conditions = conditions_;
  run_.mutations = mutations_;
  return driver::CheckKeyValue(run_);
}

absl::Status KeyValueArguments::FinishOne() {
  run_.keys = {};
  run_.conditions = {};
  run_.mutations = {&mutation_, 1};
  // It is checked first, because its error names no number of a mutation.
  absl::Status status = driver::CheckKey(mutation_.key);
  return status.ok() ? driver::CheckKeyValue(run_) : status;
}

std::string_view KeyValueArguments::Keep(std::string bytes) {
  return *kept_.emplace_back(std::make_unique<std::string>(std::move(bytes)));
}

absl::Status KeyValueArguments::Range(const v1::KeyRange& from, driver::KeyRange* to) const {
  to->start = from.start();
  to->end.reset();
  if (from.end().empty()) return absl::OkStatus();
  to->end = from.end();
  if (from.end() >= from.start()) return absl::OkStatus();
  return MakeErrorWithHint(Reason::kInvalidParameter, "the end of the range is before its start",
                           "swap them; set reverse to scan in the other direction");
}

driver::KeyRange KeyValueArguments::Prefix(std::string_view prefix) {
  driver::KeyRange range{.start = prefix, .end = std::nullopt};
  if (std::optional<std::string> end = driver::PrefixEnd(prefix)) range.end = Keep(*std::move(end));
  return range;
}

absl::Status KeyValueArguments::Assign(const v1::GetRequest& request) {
  Start(Kind::kGet, request.keyspace());
  key_ = request.key();
  run_.keys = {&key_, 1};
  absl::Status status = driver::CheckKey(request.key());
  return status.ok() ? driver::CheckKeyspace(run_.keyspace) : status;
}

absl::Status KeyValueArguments::Assign(const v1::BatchGetRequest& request) {
  Start(Kind::kGet, request.keyspace());
  keys_.assign(request.keys().begin(), request.keys().end());
  return Finish();
}

absl::Status KeyValueArguments::Assign(const v1::PutRequest& request) {
  Start(Kind::kWrite, request.keyspace());
  mutation_ = {
      .kind = KeyMutation::Kind::kPut, .key = request.key(), .value = request.value(), .range = {}};
  return FinishOne();
}

absl::Status KeyValueArguments::Assign(const v1::DeleteRequest& request) {
  Start(Kind::kWrite, request.keyspace());
  mutation_ = {.kind = KeyMutation::Kind::kDelete, .key = request.key(), .value = {}, .range = {}};
  return FinishOne();
}

absl::Status KeyValueArguments::Assign(const v1::DeleteRangeRequest& request) {
  Start(Kind::kWrite, request.keyspace());
  KeyMutation mutation{
      .kind = KeyMutation::Kind::kDeleteRange, .key = {}, .value = {}, .range = {}};
  absl::Status status;
  switch (request.keys_case()) {
    case v1::DeleteRangeRequest::kPrefix: mutation.range = Prefix(request.prefix()); break;
    case v1::DeleteRangeRequest::kRange: status = Range(request.range(), &mutation.range); break;
    default: status = Unset("the request", "prefix and range; an empty one means all keys");
  }
  mutations_.push_back(mutation);
  return status.ok() ? Finish() : status;
}

absl::Status KeyValueArguments::Assign(const v1::ScanRequest& request) {
  Start(Kind::kScan, request.keyspace());
  absl::Status status;
  if (request.has_prefix()) run_.range = Prefix(request.prefix());
  if (request.has_range()) status = Range(request.range(), &run_.range);
  if (!status.ok()) return status;
  if (request.limit() < 0) {
    return MakeError(Reason::kInvalidParameter, "the limit is negative; use 0 for no limit");
  }
  run_.reverse = request.reverse();
  run_.limit = request.limit();
  run_.keys_only = request.keys_only();
  if (!request.continue_after().empty()) ContinueAfter(request.continue_after());
  return Finish();
}

void KeyValueArguments::ContinueAfter(std::string_view key) {
  if (run_.reverse) {
    run_.range.end = run_.range.end.has_value() ? std::min(*run_.range.end, key) : key;
  } else if (key >= run_.range.start) {
    // The smallest key that is greater.
    run_.range.start = Keep(std::string(key) + '\0');
  }
}

absl::Status KeyValueArguments::Assign(const v1::WriteRequest& request) {
  Start(Kind::kWrite, request.keyspace());
  for (const v1::Condition& condition : request.conditions()) {
    absl::Status status = Add(condition);
    if (!status.ok()) return status;
  }
  mutations_.reserve(static_cast<size_t>(request.mutations_size()));
  for (const v1::Mutation& mutation : request.mutations()) {
    absl::Status status = Add(mutation);
    if (!status.ok()) return status;
  }
  return Finish();
}

absl::Status KeyValueArguments::Add(const v1::Condition& condition) {
  KeyCondition& added = conditions_.emplace_back();
  added.key = condition.key();
  switch (condition.holds_if_case()) {
    case v1::Condition::kAbsent: added.kind = KeyCondition::Kind::kAbsent; break;
    case v1::Condition::kPresent: added.kind = KeyCondition::Kind::kPresent; break;
    case v1::Condition::kValueEquals:
      added.kind = KeyCondition::Kind::kValueEquals;
      added.value = condition.value_equals();
      break;
    default:
      return Unset(fmt::format("condition {}", conditions_.size()),
                   "absent, present and value_equals");
  }
  return absl::OkStatus();
}

absl::Status KeyValueArguments::Add(const v1::Mutation& mutation) {
  KeyMutation& added = mutations_.emplace_back();
  absl::Status status;
  switch (mutation.change_case()) {
    case v1::Mutation::kPut:
      added.key = mutation.put().key();
      added.value = mutation.put().value();
      break;
    case v1::Mutation::kDeleteKey:
      added.kind = KeyMutation::Kind::kDelete;
      added.key = mutation.delete_key();
      break;
    case v1::Mutation::kDeleteRange:
      added.kind = KeyMutation::Kind::kDeleteRange;
      status = Range(mutation.delete_range(), &added.range);
      break;
    case v1::Mutation::kDeletePrefix:
      added.kind = KeyMutation::Kind::kDeleteRange;
      added.range = Prefix(mutation.delete_prefix());
      break;
    default:
      return Unset(fmt::format("mutation {}", mutations_.size()),
                   "put, delete_key, delete_range and delete_prefix");
  }
  if (status.ok()) return status;
  return driver::Annotate(status, fmt::format("mutation {}", mutations_.size()));
}

void ToProto(const driver::KeyValueRun& from, v1::WriteResponse* to) {
  to->set_applied(!from.failed_condition.has_value());
  if (from.failed_condition.has_value()) {
    to->set_failed_condition(static_cast<int64_t>(*from.failed_condition) + 1);
  }
}

}  // namespace penstock::server
