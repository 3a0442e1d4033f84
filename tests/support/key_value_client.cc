#include "tests/support/key_value_client.h"

#include <barrier>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <utility>

#include "fmt/format.h"

namespace penstock::testing {
namespace {

int64_t Now() {
  static const auto start = std::chrono::steady_clock::now();
  return std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count();
}

// Adds the prefix to the keys of the mutations.
std::vector<Mutation> WithPrefix(std::vector<Mutation> mutations, const std::string& prefix) {
  for (Mutation& mutation : mutations) {
    mutation.key = prefix + mutation.key;
    if (mutation.kind != Mutation::Kind::kDeleteRange) continue;
    // A prefix ends with '/', and '0' is the character after it.
    mutation.value = mutation.value.empty() ? prefix.substr(0, prefix.size() - 1) + '0'
                                            : prefix + mutation.value;
  }
  return mutations;
}

}  // namespace

KeyValueClient::KeyValueClient(KeyValue* keyspace, int client, std::string prefix, uint64_t seed)
    : keyspace_(keyspace), client_(client), prefix_(std::move(prefix) + "/"), random_(seed) {}

KeyValueCall KeyValueClient::Begin(KeyValueCall::Kind kind) const {
  KeyValueCall call;
  call.client = client_;
  call.kind = kind;
  call.invoked = Now();
  return call;
}

bool KeyValueClient::End(KeyValueCall call, const absl::Status& status) {
  call.returned = Now();
  if (status.ok()) {
    history_.push_back(std::move(call));
    return true;
  }
  error_ = status;
  call.returned = KeyValueCall::kNever;
  // A call that may be repeated had no effect.
  const bool done = call.kind == KeyValueCall::Kind::kWrite && !IsTransactionRetryable(status);
  if (done) history_.push_back(std::move(call));
  return false;
}

KeyRange KeyValueClient::Full(const KeyRange& range) const {
  const Mutation whole =
      WithPrefix({Mutation::DeleteRange({range.start, range.end})}, prefix_).front();
  return {whole.key, whole.value};
}

bool KeyValueClient::Get(std::vector<std::string> keys) {
  std::vector<std::string> full;
  for (const std::string& key : keys) full.push_back(Full(key));
  KeyValueCall call = Begin(KeyValueCall::Kind::kGet);
  call.keys = std::move(keys);
  absl::Status status;
  if (full.size() == 1) {
    const auto value = keyspace_->Get(Context(), full.front());
    status = value.status();
    if (value.ok()) call.values = {*value};
  } else {
    const auto values = keyspace_->BatchGet(Context(), full);
    status = values.status();
    if (values.ok()) call.values = *values;
  }
  for (size_t i = 0; i < call.values.size(); ++i) {
    if (call.values[i].has_value()) seen_[call.keys[i]] = *call.values[i];
  }
  return End(std::move(call), status);
}

bool KeyValueClient::Scan(ScanOptions scan) {
  KeyValueCall call = Begin(KeyValueCall::Kind::kScan);
  call.scan = scan;
  scan.range = Full(scan.range);
  const auto entries = keyspace_->Scan(Context(), scan);
  if (!entries.ok()) return End(std::move(call), entries.status());
  while ((*entries)->Next()) call.entries.push_back({Bare((*entries)->Key()), (*entries)->Value()});
  for (const Entry& entry : call.entries) seen_[entry.key] = entry.value;
  return End(std::move(call), (*entries)->Err());
}

bool KeyValueClient::Put(const std::string& key, const std::string& value) {
  KeyValueCall call = Begin(KeyValueCall::Kind::kWrite);
  call.mutations = {Mutation::Put(key, value)};
  seen_[key] = value;
  return End(std::move(call), keyspace_->Put(Context(), Full(key), value));
}

bool KeyValueClient::Delete(const std::string& key) {
  KeyValueCall call = Begin(KeyValueCall::Kind::kWrite);
  call.mutations = {Mutation::Delete(key)};
  return End(std::move(call), keyspace_->Delete(Context(), Full(key)));
}

bool KeyValueClient::DeleteRange(const KeyRange& range) {
  KeyValueCall call = Begin(KeyValueCall::Kind::kWrite);
  call.mutations = {Mutation::DeleteRange(range)};
  const auto deleted = keyspace_->DeleteRange(Context(), Full(range));
  if (deleted.ok()) call.deleted = *deleted;
  return End(std::move(call), deleted.status());
}

bool KeyValueClient::Write(std::vector<Condition> conditions, std::vector<Mutation> mutations) {
  std::vector<Condition> full = conditions;
  for (Condition& condition : full) condition.key = Full(condition.key);
  KeyValueCall call = Begin(KeyValueCall::Kind::kWrite);
  call.conditions = std::move(conditions);
  call.mutations = std::move(mutations);
  const auto result = keyspace_->Write(Context(), full, WithPrefix(call.mutations, prefix_));
  if (result.ok()) {
    call.applied = result->applied;
    call.failed_condition = result->failed_condition;
  }
  return End(std::move(call), result.status());
}

std::string KeyValueClient::NewValue() { return fmt::format("{}.{}", client_, ++values_); }

KeyRange KeyValueClient::RandomRange() {
  if (Choose(0, 2) == 0) return {};
  KeyRange range{RandomKey(), RandomKey()};
  if (range.end < range.start) std::swap(range.start, range.end);
  range.end += "~";
  return range;
}

Condition KeyValueClient::RandomCondition() {
  const std::string key = RandomKey();
  const auto seen = seen_.find(key);
  const int choice = Choose(0, 5);
  if (choice == 0) return Condition::Present(key);
  if (choice <= 2 || seen == seen_.end()) return Condition::Absent(key);
  return Condition::ValueEquals(key, seen->second);
}

Mutation KeyValueClient::RandomMutation() {
  const int choice = Choose(0, 9);
  if (choice == 0) return Mutation::DeleteRange(RandomRange());
  if (choice <= 3) return Mutation::Delete(RandomKey());
  return Mutation::Put(RandomKey(), NewValue());
}

bool KeyValueClient::RandomWrite() {
  std::vector<Condition> conditions;
  for (int count = Choose(0, 2); count > 0; --count) conditions.push_back(RandomCondition());
  std::vector<Mutation> mutations;
  for (int count = Choose(1, 3); count > 0; --count) mutations.push_back(RandomMutation());
  return Write(std::move(conditions), std::move(mutations));
}

bool KeyValueClient::Random() {
  switch (Choose(0, 11)) {
    case 0: return Get({RandomKey()});
    case 1: return Get({RandomKey(), RandomKey()});
    case 2: return Get({"a", "b", "c", "d"});
    case 3: {
      ScanOptions scan;
      scan.range = RandomRange();
      scan.reverse = Choose(0, 1) == 0;
      scan.limit = Choose(0, 3);
      return Scan(scan);
    }
    case 4:
    case 5: return Put(RandomKey(), NewValue());
    case 6: return Delete(RandomKey());
    case 7:
    case 8: return DeleteRange(RandomRange());
    default: return RandomWrite();
  }
}

KeyValueHistory RunRandomClients(KeyValue* keyspace, const std::string& prefix,
                                 const RandomClients& how, std::string* failures) {
  std::vector<KeyValueClient> each;
  for (int i = 0; i < how.clients; ++i) {
    each.emplace_back(keyspace, i, prefix, how.seed * 1000 + static_cast<uint64_t>(i));
  }
  std::barrier start(how.clients);
  std::vector<std::thread> threads;
  for (KeyValueClient& client : each) {
    threads.emplace_back([&] {
      start.arrive_and_wait();
      for (int done = 0; done < how.calls; ++done) {
        const bool good = client.Random();
        if (how.after_each) how.after_each();
        // A call that conflicted with others had no effect, so the client continues.
        if (!good && !IsTransactionRetryable(client.error())) return;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  KeyValueHistory history;
  for (const KeyValueClient& client : each) {
    history.insert(history.end(), client.history().begin(), client.history().end());
    if (failures == nullptr || client.error().ok()) continue;
    *failures += client.error().ToString() + "\n";
  }
  return history;
}

std::string WhyNotSerializable(const KeyValueHistory& history, uint64_t seed, uint64_t round) {
  const KeyValueVerdict verdict = CheckStrictSerializability(history);
  if (verdict.serializable) return {};
  return fmt::format("history {} of PENSTOCK_TEST_KEY_VALUE_SEED={} {}:\n{}", round, seed,
                     verdict.undecided ? "is too long to be looked at"
                                       : "is not serializable, as these calls show",
                     ToText(verdict.undecided ? history : verdict.culprits));
}

double RandomCheckSeconds(double otherwise) {
  const char* text = std::getenv("PENSTOCK_TEST_KEY_VALUE_SECONDS");
  return text == nullptr ? otherwise : std::stod(text);
}

uint64_t RandomCheckSeed() {
  const char* text = std::getenv("PENSTOCK_TEST_KEY_VALUE_SEED");
  return text == nullptr ? std::random_device()() : std::stoull(text);
}

}  // namespace penstock::testing
