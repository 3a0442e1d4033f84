// A scan, batch by batch.
#ifndef PENSTOCK_DRIVERS_PEBBLE_CURSOR_H_
#define PENSTOCK_DRIVERS_PEBBLE_CURSOR_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "drivers/api/driver.h"
#include "drivers/pebble/operations.h"
#include "drivers/pebble/store.h"
#include "rocksdb/iterator.h"
#include "rocksdb/slice.h"
#include "rocksdb/snapshot.h"

namespace penstock::pebble {

// Walks a range of what the view sees now: later writes do not show. Copies the
// range's ends.
class RangeIterator {
 public:
  RangeIterator(const View& view, ColumnFamily* family, const driver::KeyRange& range,
                bool reverse);
  ~RangeIterator() { view_.store->CountIterators(-1); }
  RangeIterator(const RangeIterator&) = delete;
  RangeIterator& operator=(const RangeIterator&) = delete;

  // False: it has left the range, or status() says why not.
  bool Valid() const;
  void Next() { reverse_ ? iterator_->Prev() : iterator_->Next(); }
  // There is a lot more to come: from here on it reads ahead, and leaves the block
  // cache to what is read again and again. It stays where it is.
  void ExpectMany();
  rocksdb::Slice key() const { return iterator_->key(); }
  rocksdb::Slice value() const { return iterator_->value(); }
  absl::Status status() const;

 private:
  void Open(rocksdb::ReadOptions options);
  void SeekToFirst();

  const View view_;
  ColumnFamily* const family_;
  const std::string start_;
  const std::string end_;
  const bool has_end_;
  const bool reverse_;
  // RocksDB refers to these while it iterates.
  const rocksdb::Slice lower_;
  const rocksdb::Slice upper_;
  // The range that is read, also after ExpectMany.
  rocksdb::ManagedSnapshot snapshot_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class Cursor final : public driver::Cursor {
 public:
  // Keeps the deadline and cancellation of the run, and copies what else it needs.
  Cursor(const View& view, Keyspace family, const driver::StatementRun& run);

  absl::StatusOr<bool> Fetch(const driver::BatchLimits& limits, driver::RowWriter* writer) override;
  const driver::Summary& summary() const override { return summary_; }

 private:
  absl::Status Interruption() const;
  void WriteEntry(driver::RowWriter* writer) const;

  const driver::Deadline deadline_;
  const driver::Cancellation* const cancellation_;
  const bool keys_only_;
  const int64_t limit_;
  // Goes after its iterator.
  const Keyspace family_;
  RangeIterator iterator_;
  bool expects_many_ = false;
  driver::Summary summary_;
};

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_CURSOR_H_
