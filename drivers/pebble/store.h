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
#include "drivers/pebble/catalog.h"
#include "drivers/pebble/commit_gate.h"
#include "drivers/pebble/guarded_files.h"
#include "drivers/pebble/options.h"
#include "drivers/pebble/recovery.h"
#include "rocksdb/options.h"
#include "rocksdb/statistics.h"
#include "rocksdb/utilities/transaction_db.h"

namespace penstock::pebble {

using ColumnFamily = rocksdb::ColumnFamilyHandle;
// Who works on a keyspace keeps it: one that is dropped meanwhile is readable
// until the last has let go of it.
using Keyspace = std::shared_ptr<ColumnFamily>;

// A keyspace as SQL sees it.
struct Table {
  std::string name;
  TableTypes types;
  // The number of the column family, which is never used again: a keyspace that is made again
  // under the same name has another one.
  uint32_t id = 0;

  bool operator==(const Table&) const = default;
};

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

  // Null: there is no such keyspace. It goes before the store.
  Keyspace Find(std::string_view keyspace) const;
  // kLimitExceeded: there are max_keyspaces already.
  absl::StatusOr<Keyspace> FindOrCreate(std::string_view keyspace);

  // Makes a keyspace whose entries SQL sees with these types, durably. False: there
  // is one of this name already. Errors are FindOrCreate's.
  absl::StatusOr<bool> Create(std::string_view keyspace, const TableTypes& types);
  // Takes it away with all that is in it, durably. False: there is none. What
  // transactions have written to it and not committed yet is lost without an error,
  // as if they had committed before.
  absl::StatusOr<bool> Drop(std::string_view keyspace);
  // In the order of their names.
  std::vector<Table> Tables() const;
  // Changes when Tables() does.
  uint64_t version() const { return version_.load(std::memory_order_acquire); }

  // All of them, by name.
  std::vector<std::pair<std::string, Keyspace>> Keyspaces() const;

  rocksdb::WriteOptions write_options() const;
  // Every commit of a transaction passes it.
  CommitGate* commit_gate() { return &commit_gate_; }

  // Commits, if the database's files are where they were. A failure has no effect, but
  // for kCommitOutcomeUnknown: then the log could not be written as a whole, or the files
  // went away meanwhile.
  absl::Status Commit(rocksdb::Transaction* transaction);

  // Returns what is wrong with the database as a whole.
  std::vector<driver::Problem> Problems() const { return problems_.List(); }
  // Looks whether the files are where they were.
  void Examine() { files_->kept()->Check().IgnoreError(); }
  const Recovery& recovery() const { return *recovery_; }

  // Classify; that something is damaged names the database.
  absl::Status ToStatus(const rocksdb::Status& status) const;

  // The counters of RocksDB. Lives as long as the store.
  const rocksdb::Statistics& statistics() const { return *rocksdb_options_.statistics; }
  // Iterators that exist: each keeps what it reads from being removed.
  int open_iterators() const { return open_iterators_.load(std::memory_order_relaxed); }
  void CountIterators(int change) { open_iterators_.fetch_add(change, std::memory_order_relaxed); }

 private:
  struct Entry {
    Keyspace family;
    TableTypes types;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  explicit Store(const Options& options);

  absl::Status OpenDb();
  absl::Status ReadCatalog();
  // To be called with the lock held for writing.
  absl::StatusOr<Keyspace> CreateLocked(std::string_view keyspace, const TableTypes& types);
  absl::Status OpenError(const rocksdb::Status& status) const;

  const Options options_;
  driver::ProblemList problems_;
  const std::shared_ptr<GuardedFiles> files_;
  const std::unique_ptr<rocksdb::Env> env_;
  const std::shared_ptr<Recovery> recovery_;
  rocksdb::Options rocksdb_options_;
  std::unique_ptr<rocksdb::TransactionDB> db_;
  std::unique_ptr<ColumnFamily> default_family_;
  CommitGate commit_gate_;
  mutable std::shared_mutex mutex_;
  Entries keyspaces_;
  std::atomic<uint64_t> version_{1};
  std::atomic<int> open_iterators_{0};
};

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_STORE_H_
