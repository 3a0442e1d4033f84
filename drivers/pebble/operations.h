// Single key-value operations, in a transaction or outside. write.cc has those
// that write.
#ifndef PENSTOCK_DRIVERS_PEBBLE_OPERATIONS_H_
#define PENSTOCK_DRIVERS_PEBBLE_OPERATIONS_H_

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "drivers/api/driver.h"
#include "drivers/pebble/store.h"
#include "rocksdb/utilities/transaction.h"

namespace penstock::pebble {

// Why a run is to end before it is done: cancelled, or late. OK if it is not.
absl::Status Interruption(const driver::StatementRun& run);

// kLimitExceeded: the value is larger than max_value_bytes.
absl::Status CheckValueSize(const Store& store, std::string_view value);

// Tells where an operation reads: with a transaction its own writes too, and its
// snapshot if it has one.
struct View {
  Store* store;
  rocksdb::Transaction* transaction = nullptr;  // null: what is committed
  // Without a transaction; null: what is newest.
  const rocksdb::Snapshot* snapshot = nullptr;
  // Nobody else commits while the operation runs: what it has found stays so.
  bool undisturbed = false;

  rocksdb::ReadOptions read_options() const;
};

// kGet. kLimitExceeded if the entries are more than run.limits.
absl::Status Get(const View& view, driver::StatementRun* run);

// The first batch of a kScan, with a cursor if there is more. What the run
// borrows but the deadline, the cancellation and the writer is copied.
absl::Status Scan(const View& view, driver::StatementRun* run);

// Whether a kWrite has a range among its mutations.
bool DeletesRange(const driver::StatementRun& run);

// Locks what a kWrite is going to look at or to change, as far as it is there now, in the
// order of the keys: two who do so do not wait for each other. Errors are Write's.
absl::Status LockKeys(const View& view, const driver::StatementRun& run);

// A kWrite, into a transaction: the caller guards it by a savepoint and commits.
// Sets failed_condition. A lock that is not to be had within the transaction's
// lock timeout is kBusy.
absl::Status Write(const View& view, driver::StatementRun* run);

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_OPERATIONS_H_
