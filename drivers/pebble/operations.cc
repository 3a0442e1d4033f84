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

using driver::KeyValueRun;
using driver::Kind;
using driver::MakeErrorWithHint;
using driver::Reason;
using driver::StatementRun;

// Values that are in memory beside what the writer has.
constexpr size_t kGetAtOnce = 32;

void WriteEntry(std::string_view key, const rocksdb::Slice& value, StatementRun* run) {
  ++run->summary.rows_returned;
  if (run->writer == nullptr) return;
  run->writer->Bytes(Kind::kBlob, key);
  run->writer->Bytes(Kind::kBlob, value.ToStringView());
  run->writer->EndRow();
}

absl::Status GetOne(const View& view, ColumnFamily* family, std::string_view key,
                    StatementRun* run) {
  rocksdb::PinnableSlice value;
  const rocksdb::Slice slice = key;
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
    WriteEntry(keys[i].ToStringView(), values[i], run);
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
  for (const std::string_view key : sorted) slices.push_back(key);
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
      fmt::format("the value has {} bytes, more than max_value_bytes ({})", value.size(), most),
      "split it across several keys, or raise max_value_bytes of the database");
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

}  // namespace penstock::pebble
