// RocksDB without a gateway: makes the entries of the load, and measures the peer of the scan.
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

// A database in the folder `path` with the keyspace kv, made and opened like the pebble driver's by
// default.
class DirectRocksdb {
 public:
  static absl::StatusOr<std::unique_ptr<DirectRocksdb>> Open(const std::string& path);
  ~DirectRocksdb();
  DirectRocksdb(const DirectRocksdb&) = delete;
  DirectRocksdb& operator=(const DirectRocksdb&) = delete;

  // Puts the first `entries` keys, each with a value of kValueBytes random bytes, into compacted
  // tables.
  absl::Status Fill(int64_t entries);

  // Measures the entries per second of an iteration that copies every key and every value of the
  // keyspace. It must have `entries`.
  absl::StatusOr<RoundResult> Scan(int64_t entries);

 private:
  DirectRocksdb() = default;

  rocksdb::DB* db_ = nullptr;
  std::vector<rocksdb::ColumnFamilyHandle*> families_;
};

}  // namespace penstock::bench

#endif  // PENSTOCK_TESTS_BENCH_DIRECT_ROCKSDB_H_
