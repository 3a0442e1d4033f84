#include "drivers/pebble/cursor.h"

#include <chrono>
#include <utility>

#include "drivers/pebble/error.h"

namespace penstock::pebble {
namespace {

using driver::Kind;

// Entries between two looks at deadline and cancellation.
constexpr int64_t kEntriesAtOnce = 256;

// The bytes that a long scan reads ahead: little enough for many scans at once.
constexpr size_t kReadAheadBytes = size_t{1} << 20;

}  // namespace

RangeIterator::RangeIterator(const View& view, ColumnFamily* family, const driver::KeyRange& range,
                             bool reverse)
    : view_(view),
      family_(family),
      start_(range.start),
      end_(range.end.value_or("")),
      has_end_(range.end.has_value()),
      reverse_(reverse),
      lower_(start_),
      upper_(end_),
      snapshot_(view.store->db()) {
  view.store->CountIterators(1);
  Open(view.read_options());
  SeekToFirst();
}

void RangeIterator::Open(rocksdb::ReadOptions options) {
  // A transaction that has one reads its own.
  if (options.snapshot == nullptr) options.snapshot = snapshot_.snapshot();
  if (!start_.empty()) options.iterate_lower_bound = &lower_;
  if (has_end_) options.iterate_upper_bound = &upper_;
  iterator_.reset(view_.transaction != nullptr ? view_.transaction->GetIterator(options, family_)
                                               : view_.store->db()->NewIterator(options, family_));
}

void RangeIterator::ExpectMany() {
  if (!Valid()) return;
  const std::string at = iterator_->key().ToString();
  rocksdb::ReadOptions options = view_.read_options();
  options.fill_cache = false;
  options.readahead_size = kReadAheadBytes;
  Open(options);
  reverse_ ? iterator_->SeekForPrev(at) : iterator_->Seek(at);
}

// The bounds that RocksDB was told hold for the database only: they do not keep
// what the transaction itself has written out, so the ends are looked at here.
void RangeIterator::SeekToFirst() {
  if (!reverse_) {
    start_.empty() ? iterator_->SeekToFirst() : iterator_->Seek(lower_);
  } else if (!has_end_) {
    iterator_->SeekToLast();
  } else {
    iterator_->SeekForPrev(upper_);
    if (iterator_->Valid() && iterator_->key() == upper_) iterator_->Prev();
  }
}

bool RangeIterator::Valid() const {
  if (!iterator_->Valid()) return false;
  if (reverse_) return iterator_->key().compare(lower_) >= 0;
  return !has_end_ || iterator_->key().compare(upper_) < 0;
}

absl::Status RangeIterator::status() const { return view_.store->ToStatus(iterator_->status()); }

Cursor::Cursor(const View& view, Keyspace family, const driver::StatementRun& run)
    : deadline_(run.deadline),
      cancellation_(run.cancellation),
      keys_only_(run.key_value->keys_only),
      limit_(run.key_value->limit),
      family_(std::move(family)),
      iterator_(view, family_.get(), run.key_value->range, run.key_value->reverse) {}

absl::Status Cursor::Interruption() const {
  if (cancellation_ != nullptr && cancellation_->cancelled()) return cancellation_->status();
  if (deadline_.at != driver::TimePoint::max() &&
      deadline_.passed(std::chrono::steady_clock::now())) {
    return deadline_.Error();
  }
  return absl::OkStatus();
}

void Cursor::WriteEntry(driver::RowWriter* writer) const {
  writer->Bytes(Kind::kBlob, iterator_.key().ToStringView());
  if (!keys_only_) writer->Bytes(Kind::kBlob, iterator_.value().ToStringView());
  writer->EndRow();
}

absl::StatusOr<bool> Cursor::Fetch(const driver::BatchLimits& limits, driver::RowWriter* writer) {
  for (; iterator_.Valid(); iterator_.Next()) {
    if (limit_ > 0 && summary_.rows_returned == limit_) return false;
    if (summary_.rows_returned % kEntriesAtOnce == 0) {
      absl::Status interruption = Interruption();
      if (!interruption.ok()) return interruption;
    }
    ++summary_.rows_returned;
    if (writer == nullptr) continue;
    WriteEntry(writer);
    if (writer->bytes() < limits.max_bytes) continue;
    iterator_.Next();
    if (!iterator_.Valid()) break;
    if (!expects_many_) iterator_.ExpectMany();
    expects_many_ = true;
    return limit_ == 0 || summary_.rows_returned < limit_;
  }
  absl::Status status = iterator_.status();
  if (!status.ok()) return status;
  return false;
}

}  // namespace penstock::pebble
