#include "tests/bench/direct_rocksdb.h"

#include <fmt/format.h>

#include <chrono>
#include <random>

#include "rocksdb/cache.h"
#include "rocksdb/db.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/table.h"

namespace penstock::bench {
namespace {

constexpr const char* kFamily = "kv_kv";
constexpr int64_t kEntriesAWrite = 1000;

absl::Status ToStatus(const rocksdb::Status& status) {
  if (status.ok()) return absl::OkStatus();
  return absl::InternalError(fmt::format("RocksDB: {}", status.ToString()));
}

// Returns the default options of the pebble driver.
rocksdb::Options MakeOptions() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.compression = rocksdb::kLZ4Compression;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(size_t{64} << 20);
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10, false));
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

}  // namespace

absl::StatusOr<std::unique_ptr<DirectRocksdb>> DirectRocksdb::Open(const std::string& path) {
  auto opened = std::unique_ptr<DirectRocksdb>(new DirectRocksdb);
  const rocksdb::Options options = MakeOptions();
  const absl::Status status = ToStatus(rocksdb::DB::Open(
      options, path, {{rocksdb::kDefaultColumnFamilyName, options}, {kFamily, options}},
      &opened->families_, &opened->db_));
  if (!status.ok()) return status;
  return opened;
}

DirectRocksdb::~DirectRocksdb() {
  for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family);
  delete db_;
}

absl::Status DirectRocksdb::Fill(int64_t entries) {
  std::minstd_rand random(1);
  std::string value(kValueBytes, '\0');
  for (int64_t id = 1; id <= entries;) {
    rocksdb::WriteBatch batch;
    for (int64_t i = 0; i < kEntriesAWrite && id <= entries; ++i, ++id) {
      for (char& byte : value) byte = static_cast<char>(random() >> 8);
      batch.Put(families_.back(), KeyOf(id), value);
    }
    const rocksdb::Status written = db_->Write({}, &batch);
    if (!written.ok()) return ToStatus(written);
  }
  absl::Status status = ToStatus(db_->Flush({}, families_.back()));
  status.Update(ToStatus(db_->CompactRange({}, families_.back(), nullptr, nullptr)));
  return status;
}

absl::StatusOr<RoundResult> DirectRocksdb::Scan(int64_t entries) {
  const auto begin = std::chrono::steady_clock::now();
  const std::unique_ptr<rocksdb::Iterator> iterator(db_->NewIterator({}, families_.back()));
  std::string key;
  std::string value;
  int64_t count = 0;
  size_t bytes = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next(), ++count) {
    key.assign(iterator->key().data(), iterator->key().size());
    value.assign(iterator->value().data(), iterator->value().size());
    bytes += key.size() + value.size();
  }
  if (!iterator->status().ok()) return ToStatus(iterator->status());
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
  if (count != entries || bytes != static_cast<size_t>(entries) * kEntryBytes) {
    return absl::DataLossError(fmt::format("{} of {} entries are there", count, entries));
  }
  return RoundResult{.per_second = static_cast<double>(entries) / passed.count()};
}

}  // namespace penstock::bench
