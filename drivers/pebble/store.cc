#include "drivers/pebble/store.h"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

#include "drivers/api/error.h"
#include "drivers/pebble/error.h"
#include "drivers/pebble/log_file.h"
#include "fmt/format.h"
#include "rocksdb/cache.h"
#include "rocksdb/env.h"
#include "rocksdb/filter_policy.h"
#include "rocksdb/table.h"

namespace penstock::pebble {
namespace {

using driver::Reason;

constexpr std::string_view kFamilyPrefix = "kv_";
constexpr double kBloomBitsPerKey = 10;

rocksdb::CompressionType TypeOf(Compression compression) {
  switch (compression) {
    case Compression::kNone: return rocksdb::kNoCompression;
    case Compression::kSnappy: return rocksdb::kSnappyCompression;
    case Compression::kLz4: return rocksdb::kLZ4Compression;
    case Compression::kZstd: return rocksdb::kZSTD;
  }
  return rocksdb::kNoCompression;
}

size_t Bytes(int64_t mib) { return static_cast<size_t>(mib) << 20; }

rocksdb::Options MakeRocksdbOptions(const Options& options) {
  rocksdb::Options made;
  made.create_if_missing = options.create;
  made.max_open_files = options.max_open_files;
  made.compression = TypeOf(options.compression);
  // The log counts up to its first record that is not whole: what follows was cut
  // short by a crash, or by a disk that was full, and never acknowledged.
  made.wal_recovery_mode = rocksdb::WALRecoveryMode::kPointInTimeRecovery;
  made.info_log = std::make_shared<LogFile>(options.path);
  made.write_buffer_size = Bytes(options.write_buffer_mib);
  // This limit holds for all keyspaces together.
  made.db_write_buffer_size = Bytes(options.write_buffer_mib);
  // A log is kept until every keyspace that it has writes of was flushed.
  made.max_total_wal_size = 4 * Bytes(options.write_buffer_mib);
  made.bytes_per_sync = Bytes(1);
  made.statistics = rocksdb::CreateDBStatistics();
  // Counts only: taking the time of every operation would cost more than the figure
  // is worth.
  made.statistics->set_stats_level(rocksdb::StatsLevel::kExceptHistogramOrTimers);
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(Bytes(options.block_cache_mib));
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(kBloomBitsPerKey, false));
  // So that the cache's size is a limit for these, too.
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  made.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return made;
}

}  // namespace

Store::Store(const Options& options)
    : options_(options),
      files_(std::make_shared<GuardedFiles>(&problems_)),
      env_(rocksdb::NewCompositeEnv(files_)),
      recovery_(std::make_shared<Recovery>(&problems_)),
      rocksdb_options_(MakeRocksdbOptions(options)) {
  rocksdb_options_.env = env_.get();
  rocksdb_options_.listeners.push_back(recovery_);
}

absl::StatusOr<std::unique_ptr<Store>> Store::Open(const Options& options) {
  std::unique_ptr<Store> store(new Store(options));
  absl::Status opened = store->OpenDb();
  if (!opened.ok()) return opened;
  return store;
}

Store::~Store() {
  recovery_->Stop();
  if (db_ == nullptr) return;
  // Their handles go before the database.
  keyspaces_.clear();
  default_family_.reset();
  db_->Close();
}

absl::Status Store::OpenDb() {
  std::vector<std::string> names;
  // It fails where there is no database yet; if that is not why, Open says more.
  if (!rocksdb::DB::ListColumnFamilies(rocksdb_options_, options_.path, &names).ok()) {
    names = {rocksdb::kDefaultColumnFamilyName};
  }
  std::vector<rocksdb::ColumnFamilyDescriptor> families;
  for (const std::string& name : names) families.emplace_back(name, rocksdb_options_);
  rocksdb::TransactionDBOptions transactions;
  transactions.default_lock_timeout = options_.lock_timeout.count();
  transactions.transaction_lock_timeout = options_.lock_timeout.count();
  std::vector<ColumnFamily*> handles;
  rocksdb::TransactionDB* db = nullptr;
  const rocksdb::Status status = rocksdb::TransactionDB::Open(
      rocksdb_options_, transactions, options_.path, families, &handles, &db);
  if (!status.ok()) return OpenError(status);
  db_.reset(db);
  for (size_t i = 0; i < handles.size(); ++i) {
    if (names[i].starts_with(kFamilyPrefix)) {
      keyspaces_[names[i].substr(kFamilyPrefix.size())].family.reset(handles[i]);
    } else if (names[i] == rocksdb::kDefaultColumnFamilyName) {
      default_family_.reset(handles[i]);
    } else {
      // Somebody else's; open all the same, as RocksDB wants all of them.
      db_->DestroyColumnFamilyHandle(handles[i]);
    }
  }
  // TransactionDB does not hand Resume on.
  recovery_->Start(db_->GetRootDB());
  return ReadCatalog();
}

absl::Status Store::ReadCatalog() {
  const absl::StatusOr<Catalog> catalog = ReadTables(db_.get());
  if (!catalog.ok()) return catalog.status();
  for (const auto& [name, types] : *catalog) {
    const auto found = keyspaces_.find(name);
    if (found != keyspaces_.end()) {
      found->second.types = types;
      continue;
    }
    // The process ended between the two halves of a Create or a Drop.
    absl::Status status = RemoveTable(db_.get(), name);
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Store::OpenError(const rocksdb::Status& status) const {
  const std::string holder = files_->holder();
  if (!holder.empty()) {
    return driver::MakeErrorWithHint(
        Reason::kBackendResources,
        fmt::format("the database {} is already open {}", options_.path, holder),
        "stop the other process, or use another folder; RocksDB allows one process at a time");
  }
  return driver::Annotate(ToStatus(status), fmt::format("cannot open {}", options_.path));
}

Keyspace Store::Find(std::string_view keyspace) const {
  std::shared_lock lock(mutex_);
  const auto found = keyspaces_.find(keyspace);
  return found == keyspaces_.end() ? nullptr : found->second.family;
}

absl::StatusOr<Keyspace> Store::FindOrCreate(std::string_view keyspace) {
  if (Keyspace found = Find(keyspace)) return found;
  std::unique_lock lock(mutex_);
  const auto found = keyspaces_.find(keyspace);
  if (found != keyspaces_.end()) return found->second.family;
  return CreateLocked(keyspace, {});
}

absl::StatusOr<bool> Store::Create(std::string_view keyspace, const TableTypes& types) {
  std::unique_lock lock(mutex_);
  if (keyspaces_.contains(keyspace)) return false;
  absl::Status status = files_->kept()->Check();
  // First, as an entry without a keyspace is seen and removed when the store is opened.
  if (status.ok()) status = AddTable(db_.get(), keyspace, types);
  if (!status.ok()) return status;
  status = CreateLocked(keyspace, types).status();
  if (status.ok()) return true;
  if (!keyspaces_.contains(keyspace)) RemoveTable(db_.get(), keyspace).IgnoreError();
  return status;
}

absl::StatusOr<Keyspace> Store::CreateLocked(std::string_view keyspace, const TableTypes& types) {
  const auto count = static_cast<int>(keyspaces_.size());
  if (count >= options_.max_keyspaces) {
    return driver::MakeErrorWithHint(
        Reason::kLimitExceeded, fmt::format("the database already has {} keyspaces", count),
        "raise max_keyspaces, or use a prefix of the key instead of a keyspace");
  }
  absl::Status status = files_->kept()->Check();
  if (!status.ok()) return status;
  ColumnFamily* created = nullptr;
  status = ToStatus(db_->CreateColumnFamily(
      rocksdb_options_, fmt::format("{}{}", kFamilyPrefix, keyspace), &created));
  if (!status.ok()) return status;
  Entry& entry = keyspaces_[std::string(keyspace)];
  entry = {.family = Keyspace(created), .types = types};
  version_.fetch_add(1, std::memory_order_release);
  status = files_->kept()->CheckAfter();
  if (!status.ok()) return status;
  return entry.family;
}

absl::StatusOr<bool> Store::Drop(std::string_view keyspace) {
  std::unique_lock lock(mutex_);
  const auto found = keyspaces_.find(keyspace);
  if (found == keyspaces_.end()) return false;
  absl::Status status = files_->kept()->Check();
  if (!status.ok()) return status;
  status = ToStatus(db_->DropColumnFamily(found->second.family.get()));
  if (!status.ok()) return status;
  keyspaces_.erase(found);
  version_.fetch_add(1, std::memory_order_release);
  status = RemoveTable(db_.get(), keyspace);
  if (status.ok()) status = files_->kept()->CheckAfter();
  if (!status.ok()) return status;
  return true;
}

std::vector<Table> Store::Tables() const {
  std::shared_lock lock(mutex_);
  std::vector<Table> tables;
  tables.reserve(keyspaces_.size());
  for (const auto& [name, entry] : keyspaces_) {
    tables.push_back({.name = name, .types = entry.types, .id = entry.family->GetID()});
  }
  return tables;
}

std::vector<std::pair<std::string, Keyspace>> Store::Keyspaces() const {
  std::shared_lock lock(mutex_);
  std::vector<std::pair<std::string, Keyspace>> keyspaces;
  for (const auto& [name, entry] : keyspaces_) keyspaces.emplace_back(name, entry.family);
  return keyspaces;
}

absl::Status Store::Commit(rocksdb::Transaction* transaction) {
  absl::Status status = files_->kept()->CheckBefore();
  if (!status.ok()) return status;
  const rocksdb::Status committed = transaction->Commit();
  if (committed.ok()) return files_->kept()->CheckAfter();
  status = ToStatus(committed);
  // A commit that is refused because of an earlier error has that error's severity. Without one,
  // it is this commit that could not be written to the log, or synced: should the process
  // end before writes are resumed with a new log, what is in the old one counts.
  if (driver::GetErrorInfo(status).reason != Reason::kIo ||
      committed.severity() != rocksdb::Status::kNoError) {
    return status;
  }
  return driver::MakeErrorWithHint(Reason::kCommitOutcomeUnknown, std::string(status.message()),
                                   "read the data before you try again");
}

absl::Status Store::ToStatus(const rocksdb::Status& status) const {
  absl::Status classified = Classify(status);
  if (!status.IsCorruption()) return classified;
  return driver::Annotate(classified, fmt::format("the database '{}' is damaged", options_.name));
}

rocksdb::WriteOptions Store::write_options() const {
  rocksdb::WriteOptions options;
  options.sync = options_.sync;
  // Writes to a keyspace that is dropped before the commit are gone with it; the other writes of
  // the commit stay good.
  options.ignore_missing_column_families = true;
  return options;
}

}  // namespace penstock::pebble
