#include "drivers/pebble/operations.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <vector>

#include "drivers/api/error.h"
#include "drivers/pebble/cursor.h"
#include "drivers/pebble/error.h"
#include "fmt/format.h"

namespace penstock::pebble {
namespace {

using driver::KeyCondition;
using driver::KeyMutation;
using driver::KeyValueRun;
using driver::Kind;
using driver::MakeErrorWithHint;
using driver::Reason;
using driver::StatementRun;

// Values that are in memory beside what the writer has.
constexpr size_t kGetAtOnce = 32;

// Mutations between two looks at deadline and cancellation.
constexpr size_t kMutationsAtOnce = 1000;

// Each takes a lock and a place in the transaction's memory.
constexpr size_t kMaxDeletedKeys = 1'000'000;

rocksdb::Slice ToSlice(std::string_view bytes) { return {bytes.data(), bytes.size()}; }
std::string_view ToView(const rocksdb::Slice& slice) { return {slice.data(), slice.size()}; }

void WriteEntry(std::string_view key, const rocksdb::Slice& value, StatementRun* run) {
  ++run->summary.rows_returned;
  if (run->writer == nullptr) return;
  run->writer->Bytes(Kind::kBlob, key);
  run->writer->Bytes(Kind::kBlob, ToView(value));
  run->writer->EndRow();
}

absl::Status GetOne(const View& view, ColumnFamily* family, std::string_view key,
                    StatementRun* run) {
  rocksdb::PinnableSlice value;
  const rocksdb::Slice slice = ToSlice(key);
  const rocksdb::Status status =
      view.transaction != nullptr
          ? view.transaction->Get(view.read_options(), family, slice, &value)
          : view.store->db()->Get(view.read_options(), family, slice, &value);
  if (status.IsNotFound()) return absl::OkStatus();
  if (!status.ok()) return view.store->ToStatus(status);
  WriteEntry(key, value, run);
  return absl::OkStatus();
}

absl::Status GetSome(const View& view, const rocksdb::ReadOptions& options, ColumnFamily* family,
                     std::span<const rocksdb::Slice> keys, StatementRun* run) {
  std::array<rocksdb::PinnableSlice, kGetAtOnce> values;
  std::array<rocksdb::Status, kGetAtOnce> statuses;
  constexpr bool kSorted = true;
  if (view.transaction != nullptr) {
    view.transaction->MultiGet(options, family, keys.size(), keys.data(), values.data(),
                               statuses.data(), kSorted);
  } else {
    view.store->db()->MultiGet(options, family, keys.size(), keys.data(), values.data(),
                               statuses.data(), kSorted);
  }
  for (size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    if (!statuses[i].ok()) return view.store->ToStatus(statuses[i]);
    WriteEntry(ToView(keys[i]), values[i], run);
  }
  return absl::OkStatus();
}

// The keys in their order, each once.
std::vector<rocksdb::Slice> SortedKeys(std::span<const std::string_view> keys) {
  std::vector<std::string_view> sorted(keys.begin(), keys.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  std::vector<rocksdb::Slice> slices;
  slices.reserve(sorted.size());
  for (const std::string_view key : sorted) slices.push_back(ToSlice(key));
  return slices;
}

absl::Status CheckSize(const StatementRun& run) {
  if (run.writer == nullptr || run.writer->bytes() < run.limits.max_bytes) return absl::OkStatus();
  return driver::KeysTooLarge(run.limits.max_bytes);
}

absl::Status GetMany(const View& view, ColumnFamily* family, StatementRun* run) {
  const std::vector<rocksdb::Slice> keys = SortedKeys(run->key_value->keys);
  // One snapshot for all parts.
  rocksdb::ReadOptions options = view.read_options();
  rocksdb::ManagedSnapshot snapshot(view.store->db());
  if (options.snapshot == nullptr) options.snapshot = snapshot.snapshot();
  for (std::span<const rocksdb::Slice> left = keys; !left.empty();) {
    const std::span<const rocksdb::Slice> part = left.first(std::min(kGetAtOnce, left.size()));
    left = left.subspan(part.size());
    absl::Status status = Interruption(*run);
    if (status.ok()) status = GetSome(view, options, family, part, run);
    if (status.ok()) status = CheckSize(*run);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

// Locks the key, so that what it finds stays so until the commit. With no
// family there is nothing, and nothing to lock.
absl::Status Check(const View& view, ColumnFamily* family, const KeyCondition& condition,
                   bool* holds) {
  std::string value;
  bool present = false;
  if (family != nullptr) {
    const rocksdb::Status status =
        view.transaction->GetForUpdate(view.read_options(), family, ToSlice(condition.key), &value);
    if (!status.ok() && !status.IsNotFound()) return view.store->ToStatus(status);
    present = status.ok();
  }
  switch (condition.sort) {
    case KeyCondition::Sort::kAbsent: *holds = !present; break;
    case KeyCondition::Sort::kPresent: *holds = present; break;
    case KeyCondition::Sort::kValueEquals: *holds = present && value == condition.value; break;
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

absl::Status DeleteRange(const View& view, ColumnFamily* family, const driver::KeyRange& range,
                         StatementRun* run) {
  if (range.empty()) return absl::OkStatus();
  // First the keys: an iterator must not see the transaction change.
  std::vector<std::string> keys;
  {
    RangeIterator iterator(view, family, range, false);
    for (; iterator.Valid(); iterator.Next()) {
      if (keys.size() == kMaxDeletedKeys) {
        return MakeErrorWithHint(Reason::kLimitExceeded,
                                 fmt::format("the range has more than {} keys", kMaxDeletedKeys),
                                 "delete it in parts");
      }
      keys.push_back(iterator.key().ToString());
      if (keys.size() % kMutationsAtOnce != 0) continue;
      absl::Status status = Interruption(*run);
      if (!status.ok()) return status;
    }
    absl::Status status = iterator.status();
    if (!status.ok()) return status;
  }
  for (const std::string& key : keys) {
    const rocksdb::Status status = view.transaction->Delete(family, key);
    if (!status.ok()) return Classify(status);
  }
  run->summary.rows_affected += static_cast<int64_t>(keys.size());
  return absl::OkStatus();
}

absl::Status Apply(const View& view, ColumnFamily* family, const KeyMutation& mutation,
                   StatementRun* run) {
  absl::Status status;
  switch (mutation.sort) {
    case KeyMutation::Sort::kPut:
      status = CheckValueSize(*view.store, mutation.value);
      if (!status.ok()) return status;
      return Classify(
          view.transaction->Put(family, ToSlice(mutation.key), ToSlice(mutation.value)));
    case KeyMutation::Sort::kDelete:
      return Classify(view.transaction->Delete(family, ToSlice(mutation.key)));
    case KeyMutation::Sort::kDeleteRange: return DeleteRange(view, family, mutation.range, run);
  }
  return absl::OkStatus();
}

bool Puts(const KeyValueRun& write) {
  return std::any_of(write.mutations.begin(), write.mutations.end(),
                     [](const KeyMutation& each) { return each.sort == KeyMutation::Sort::kPut; });
}

}  // namespace

absl::Status Interruption(const StatementRun& run) {
  if (run.cancellation != nullptr && run.cancellation->cancelled()) {
    return run.cancellation->status();
  }
  if (run.deadline.at != driver::TimePoint::max() &&
      run.deadline.passed(std::chrono::steady_clock::now())) {
    return run.deadline.Error();
  }
  return absl::OkStatus();
}

absl::Status CheckValueSize(const Store& store, std::string_view value) {
  const size_t most = store.options().max_value_bytes;
  if (value.size() <= most) return absl::OkStatus();
  return MakeErrorWithHint(
      Reason::kLimitExceeded,
      fmt::format("the value has {} bytes, max_value_bytes is {}", value.size(), most),
      "divide it into several keys, or raise max_value_bytes of the database");
}

rocksdb::ReadOptions View::read_options() const {
  rocksdb::ReadOptions options;
  options.snapshot = transaction != nullptr ? transaction->GetSnapshot() : snapshot;
  return options;
}

absl::Status Get(const View& view, StatementRun* run) {
  const KeyValueRun& operation = *run->key_value;
  if (run->writer != nullptr) run->writer->Begin(driver::KeyValueColumns(operation));
  const Keyspace family = view.store->Find(operation.keyspace);
  if (family == nullptr || operation.keys.empty()) return absl::OkStatus();
  if (operation.keys.size() > 1) return GetMany(view, family.get(), run);
  return GetOne(view, family.get(), operation.keys.front(), run);
}

absl::Status Scan(const View& view, StatementRun* run) {
  const KeyValueRun& operation = *run->key_value;
  if (run->writer != nullptr) run->writer->Begin(driver::KeyValueColumns(operation));
  Keyspace family = view.store->Find(operation.keyspace);
  if (family == nullptr || operation.range.empty()) return absl::OkStatus();
  auto cursor = std::make_unique<Cursor>(view, std::move(family), *run);
  const absl::StatusOr<bool> more = cursor->Fetch(run->limits, run->writer);
  if (!more.ok()) return more.status();
  run->summary = cursor->summary();
  if (*more) run->cursor = std::move(cursor);
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
