// kWrite, and what it locks.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "drivers/api/error.h"
#include "drivers/pebble/cursor.h"
#include "drivers/pebble/error.h"
#include "drivers/pebble/operations.h"
#include "fmt/format.h"

namespace penstock::pebble {
namespace {

using driver::KeyCondition;
using driver::KeyMutation;
using driver::KeyValueRun;
using driver::MakeErrorWithHint;
using driver::Reason;
using driver::StatementRun;

// Mutations between two looks at deadline and cancellation.
constexpr size_t kMutationsAtOnce = 1000;

// Each takes a lock and a place in the transaction's memory.
constexpr size_t kMaxDeletedKeys = 1'000'000;

// Locks the key, so that what it finds stays so until the commit. With no
// family there is nothing, and nothing to lock.
absl::Status Check(const View& view, ColumnFamily* family, const KeyCondition& condition,
                   bool* holds) {
  std::string value;
  bool present = false;
  if (family != nullptr) {
    const rocksdb::Status status =
        view.transaction->GetForUpdate(view.read_options(), family, condition.key, &value);
    if (!status.ok() && !status.IsNotFound()) return view.store->ToStatus(status);
    present = status.ok();
  }
  switch (condition.kind) {
    case KeyCondition::Kind::kAbsent: *holds = !present; break;
    case KeyCondition::Kind::kPresent: *holds = present; break;
    case KeyCondition::Kind::kValueEquals: *holds = present && value == condition.value; break;
  }
  return absl::OkStatus();
}

// False: one does not hold, and failed_condition says which.
absl::StatusOr<bool> CheckAll(const View& view, ColumnFamily* family, KeyValueRun* operation) {
  for (size_t i = 0; i < operation->conditions.size(); ++i) {
    bool holds = false;
    absl::Status status = Check(view, family, operation->conditions[i], &holds);
    if (!status.ok()) return status;
    if (holds) continue;
    operation->failed_condition = i;
    return false;
  }
  return true;
}

// All at once, since an iterator must not see the transaction change.
absl::Status ListKeys(const View& view, ColumnFamily* family, const driver::KeyRange& range,
                      const StatementRun& run, std::vector<std::string>* keys) {
  if (range.empty()) return absl::OkStatus();
  size_t count = 0;
  RangeIterator iterator(view, family, range, false);
  for (; iterator.Valid(); iterator.Next()) {
    if (count++ == kMaxDeletedKeys) {
      return MakeErrorWithHint(Reason::kLimitExceeded,
                               fmt::format("the range has more than {} keys", kMaxDeletedKeys),
                               "delete it in parts");
    }
    keys->push_back(iterator.key().ToString());
    if (count % kMutationsAtOnce != 0) continue;
    absl::Status status = Interruption(run);
    if (!status.ok()) return status;
  }
  return iterator.status();
}

absl::Status DeleteRange(const View& view, ColumnFamily* family, const driver::KeyRange& range,
                         StatementRun* run) {
  std::vector<std::string> keys;
  absl::Status listed = ListKeys(view, family, range, *run, &keys);
  if (!listed.ok()) return listed;
  // With a snapshot a key that has changed since is a conflict. Without one it may be gone.
  const bool may_be_gone = !view.undisturbed && view.transaction->GetSnapshot() == nullptr;
  for (const std::string& key : keys) {
    rocksdb::Status status;
    if (may_be_gone) {
      rocksdb::PinnableSlice value;
      status = view.transaction->GetForUpdate(view.read_options(), family, key, &value);
      if (status.IsNotFound()) continue;
    }
    if (status.ok()) status = view.transaction->Delete(family, key);
    if (!status.ok()) return Classify(status);
    ++run->summary.rows_affected;
  }
  return absl::OkStatus();
}

absl::Status Apply(const View& view, ColumnFamily* family, const KeyMutation& mutation,
                   StatementRun* run) {
  absl::Status status;
  switch (mutation.kind) {
    case KeyMutation::Kind::kPut:
      status = CheckValueSize(*view.store, mutation.value);
      if (!status.ok()) return status;
      return Classify(view.transaction->Put(family, mutation.key, mutation.value));
    case KeyMutation::Kind::kDelete:
      return Classify(view.transaction->Delete(family, mutation.key));
    case KeyMutation::Kind::kDeleteRange: return DeleteRange(view, family, mutation.range, run);
  }
  return absl::OkStatus();
}

bool Puts(const KeyValueRun& write) {
  return std::any_of(write.mutations.begin(), write.mutations.end(),
                     [](const KeyMutation& each) { return each.kind == KeyMutation::Kind::kPut; });
}

}  // namespace

bool DeletesRange(const StatementRun& run) {
  const std::span<const KeyMutation> mutations = run.key_value->mutations;
  return std::any_of(mutations.begin(), mutations.end(), [](const KeyMutation& each) {
    return each.kind == KeyMutation::Kind::kDeleteRange;
  });
}

absl::Status LockKeys(const View& view, const StatementRun& run) {
  const KeyValueRun& operation = *run.key_value;
  const Keyspace family = view.store->Find(operation.keyspace);
  if (family == nullptr) return absl::OkStatus();
  std::vector<std::string> keys;
  for (const KeyCondition& condition : operation.conditions) keys.emplace_back(condition.key);
  for (const KeyMutation& mutation : operation.mutations) {
    if (mutation.kind != KeyMutation::Kind::kDeleteRange) {
      keys.emplace_back(mutation.key);
      continue;
    }
    absl::Status listed = ListKeys(view, family.get(), mutation.range, run, &keys);
    if (!listed.ok()) return listed;
  }
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (size_t i = 0; i < keys.size(); ++i) {
    // Each may have been waited for.
    absl::Status status = Interruption(run);
    std::string* const nothing = nullptr;
    if (status.ok()) {
      status = Classify(
          view.transaction->GetForUpdate(view.read_options(), family.get(), keys[i], nothing));
    }
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Write(const View& view, StatementRun* run) {
  KeyValueRun& operation = *run->key_value;
  operation.failed_condition.reset();
  if (run->writer != nullptr) run->writer->Begin(driver::KeyValueColumns(operation));
  Keyspace family = view.store->Find(operation.keyspace);
  if (family == nullptr) {
    const absl::StatusOr<bool> hold = CheckAll(view, nullptr, &operation);
    if (!hold.ok()) return hold.status();
    if (!*hold || !Puts(operation)) return absl::OkStatus();
    // From here on there is something to lock, and another writer to lock it from.
    const absl::StatusOr<Keyspace> created = view.store->FindOrCreate(operation.keyspace);
    if (!created.ok()) return created.status();
    family = *created;
  }
  const absl::StatusOr<bool> hold = CheckAll(view, family.get(), &operation);
  if (!hold.ok()) return hold.status();
  if (!*hold) return absl::OkStatus();
  size_t done = 0;
  for (const KeyMutation& mutation : operation.mutations) {
    absl::Status status = ++done % kMutationsAtOnce == 0 ? Interruption(*run) : absl::OkStatus();
    if (status.ok()) status = Apply(view, family.get(), mutation, run);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace penstock::pebble
