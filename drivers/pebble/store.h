// The open database that all connections of a driver share.
#ifndef PENSTOCK_DRIVERS_PEBBLE_STORE_H_
#define PENSTOCK_DRIVERS_PEBBLE_STORE_H_

#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "drivers/pebble/options.h"
#include "rocksdb/options.h"
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

  rocksdb::TransactionDB* db() { return db_.get(); }
  const Options& options() const { return options_; }

  // Null: there is no such keyspace. Lives as long as the store.
  ColumnFamily* Find(std::string_view keyspace) const;
  // kLimitExceeded: there are max_keyspaces already.
  absl::StatusOr<ColumnFamily*> FindOrCreate(std::string_view keyspace);

  rocksdb::WriteOptions write_options() const;

 private:
  explicit Store(const Options& options);

  absl::Status OpenDb();
  absl::Status OpenError(const rocksdb::Status& status) const;

  const Options options_;
  rocksdb::Options rocksdb_options_;
  std::unique_ptr<rocksdb::TransactionDB> db_;
  std::unique_ptr<ColumnFamily> default_family_;
  mutable std::shared_mutex mutex_;
  std::map<std::string, std::unique_ptr<ColumnFamily>, std::less<>> keyspaces_;
};

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_STORE_H_
