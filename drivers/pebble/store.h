// The open database that all connections of a driver share.
#ifndef PENSTOCK_DRIVERS_PEBBLE_STORE_H_
#define PENSTOCK_DRIVERS_PEBBLE_STORE_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/pebble/options.h"
#include "rocksdb/options.h"
#include "rocksdb/statistics.h"
#include "rocksdb/utilities/transaction_db.h"

namespace penstock::pebble {

using ColumnFamily = rocksdb::ColumnFamilyHandle;

// A keyspace is the column family kv_<keyspace>. Thread-safe.
class Store {
 public:
  static absl::StatusOr<std::unique_ptr<Store>> Open(const Options& options);
  // Nothing of it is in use any more.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  rocksdb::TransactionDB* db() const { return db_.get(); }
  const Options& options() const { return options_; }

  // Null: there is no such keyspace. Lives as long as the store.
  ColumnFamily* Find(std::string_view keyspace) const;
  // kLimitExceeded: there are max_keyspaces already.
  absl::StatusOr<ColumnFamily*> FindOrCreate(std::string_view keyspace);

  // All of them, by name.
  std::vector<std::pair<std::string, ColumnFamily*>> Keyspaces() const;

  rocksdb::WriteOptions write_options() const;

  // Classify; that something is damaged names the database.
  absl::Status ToStatus(const rocksdb::Status& status) const;

  // What RocksDB counts. Lives as long as the store.
  const rocksdb::Statistics& statistics() const { return *rocksdb_options_.statistics; }
  // Flushes, compactions and writes to the log that failed.
  int64_t background_errors() const;
  // Iterators that exist: each keeps what it reads from being removed.
  int open_iterators() const { return open_iterators_.load(std::memory_order_relaxed); }
  void CountIterators(int change) { open_iterators_.fetch_add(change, std::memory_order_relaxed); }

 private:
  explicit Store(const Options& options);

  absl::Status OpenDb();
  absl::Status OpenError(const rocksdb::Status& status) const;

  class ErrorCounter;

  const Options options_;
  const std::shared_ptr<ErrorCounter> errors_;
  rocksdb::Options rocksdb_options_;
  std::unique_ptr<rocksdb::TransactionDB> db_;
  std::unique_ptr<ColumnFamily> default_family_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::unique_ptr<ColumnFamily>, std::less<>> keyspaces_;
  std::atomic<int> open_iterators_{0};
};

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_STORE_H_
