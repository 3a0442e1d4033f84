// RocksDB without a gateway: the entries of the load, and the peer of its scan.
#ifndef PENSTOCK_TESTS_BENCH_DIRECT_ROCKSDB_H_
#define PENSTOCK_TESTS_BENCH_DIRECT_ROCKSDB_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "tests/bench/load.h"

namespace rocksdb {
class ColumnFamilyHandle;
class DB;
}  // namespace rocksdb

namespace penstock::bench {

// A database in the folder `path` with the keyspace kv, made and opened as the
// pebble driver does by default.
class DirectRocksdb {
 public:
  static absl::StatusOr<std::unique_ptr<DirectRocksdb>> Open(const std::string& path);
  ~DirectRocksdb();
  DirectRocksdb(const DirectRocksdb&) = delete;
  DirectRocksdb& operator=(const DirectRocksdb&) = delete;

  // Puts the first `entries` keys, each with a value of kValueBytes random bytes,
  // into compacted tables.
  absl::Status Fill(int64_t entries);

  // Entries a second of an iteration over the keyspace that copies every key and
  // every value. There must be `entries`.
  absl::StatusOr<RoundResult> Scan(int64_t entries);

 private:
  DirectRocksdb() = default;

  rocksdb::DB* db_ = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_DIRECT_ROCKSDB_H_
