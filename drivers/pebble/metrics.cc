#include "drivers/pebble/metrics.h"

#include <string>
#include <utility>

#include "rocksdb/statistics.h"

namespace penstock::pebble {
namespace {

using driver::Metric;
using Properties = rocksdb::DB::Properties;

// The counters of RocksDB.
struct Ticker {
  rocksdb::Tickers ticker;
  const char* name;
  const char* help;
  // Turns RocksDB's unit into the metric's.
  double factor = 1;
};

constexpr Ticker kTickers[] = {
    {rocksdb::BLOCK_CACHE_HIT, "penstock_pebble_block_cache_hits_total",
     "Blocks that were found in the block cache."},
    {rocksdb::BLOCK_CACHE_MISS, "penstock_pebble_block_cache_misses_total",
     "Blocks that were not found in the block cache."},
    {rocksdb::BLOOM_FILTER_USEFUL, "penstock_pebble_bloom_filter_useful_total",
     "Tables that were not read because a filter said that the key does not exist."},
    {rocksdb::WAL_FILE_SYNCED, "penstock_pebble_wal_syncs_total",
     "Syncs of the write-ahead log; commits may share one."},
    {rocksdb::WAL_FILE_BYTES, "penstock_pebble_wal_bytes_total",
     "Bytes written to the write-ahead log."},
    {rocksdb::STALL_MICROS, "penstock_pebble_stall_seconds_total",
     "Time that writes were held back because flushes or compactions lag behind.", 1e-6},
    {rocksdb::FLUSH_WRITE_BYTES, "penstock_pebble_flush_written_bytes_total",
     "Bytes written by flushes of memtables into tables."},
    {rocksdb::COMPACT_READ_BYTES, "penstock_pebble_compaction_read_bytes_total",
     "Bytes read by compactions."},
    {rocksdb::COMPACT_WRITE_BYTES, "penstock_pebble_compaction_written_bytes_total",
     "Bytes written by compactions."},
};

// The properties of RocksDB.
struct Property {
  const std::string& property;
  const char* name;
  const char* help;
};

// These are sums over all keyspaces.
const Property kSums[] = {
    {Properties::kCurSizeAllMemTables, "penstock_pebble_memtable_bytes",
     "Memory of data that is not in tables yet."},
    {Properties::kSizeAllMemTables, "penstock_pebble_memtable_held_bytes",
     "The same, plus data that is in tables but still read by a scan or a transaction."},
    {Properties::kEstimatePendingCompactionBytes, "penstock_pebble_pending_compaction_bytes",
     "Bytes that compactions have yet to rewrite, estimated."},
};

// These are of the database as a whole, the same in every keyspace.
const Property kShared[] = {
    {Properties::kBlockCacheUsage, "penstock_pebble_block_cache_bytes",
     "Bytes in the block cache."},
    {Properties::kBlockCacheCapacity, "penstock_pebble_block_cache_capacity_bytes",
     "The size of the block cache."},
    {Properties::kNumRunningFlushes, "penstock_pebble_running_flushes", "Flushes under way."},
    {Properties::kNumRunningCompactions, "penstock_pebble_running_compactions",
     "Compactions under way."},
    {Properties::kIsWriteStopped, "penstock_pebble_write_stopped",
     "1 while no write is let through because flushes or compactions lag behind, else 0."},
    {Properties::kActualDelayedWriteRate, "penstock_pebble_delayed_write_bytes_per_second",
     "How fast writes are let through while compactions lag behind; 0: they are not held back."},
    {Properties::kNumSnapshots, "penstock_pebble_open_snapshots", "Snapshots that are held."},
};

const Property kOfKeyspace[] = {
    {Properties::kEstimateNumKeys, "penstock_pebble_keyspace_keys",
     "Keys of a keyspace, estimated."},
    {Properties::kEstimateLiveDataSize, "penstock_pebble_keyspace_live_bytes",
     "Bytes in tables that a keyspace needs, estimated."},
    {Properties::kTotalSstFilesSize, "penstock_pebble_keyspace_table_bytes",
     "Bytes of all tables of a keyspace, those that are about to go included."},
};

class Collector {
 public:
  explicit Collector(const Store& store) : store_(store) {}

  std::vector<Metric> Collect() {
    for (const Ticker& ticker : kTickers) {
      const auto count = static_cast<double>(store_.statistics().getTickerCount(ticker.ticker));
      Add(ticker.name, ticker.help, Metric::Kind::kCounter, count * ticker.factor);
    }
    for (const Property& each : kSums) {
      uint64_t value = 0;
      if (store_.db()->GetAggregatedIntProperty(each.property, &value)) Add(each, value);
    }
    for (const Property& each : kShared) {
      uint64_t value = 0;
      if (store_.db()->GetIntProperty(each.property, &value)) Add(each, value);
    }
    Add("penstock_pebble_background_errors_total",
        "Flushes, compactions and writes to the log that failed.", Metric::Kind::kCounter,
        static_cast<double>(store_.recovery().errors()));
    Add("penstock_pebble_resumes_total",
        "Times that writes were resumed after such an error had stopped them.",
        Metric::Kind::kCounter, static_cast<double>(store_.recovery().resumes()));
    Add("penstock_pebble_open_iterators", "Scans that are under way.", Metric::Kind::kGauge,
        static_cast<double>(store_.open_iterators()));
    AddKeyspaces();
    return std::move(metrics_);
  }

 private:
  using Labels = std::vector<std::pair<std::string, std::string>>;

  void AddKeyspaces() {
    const auto keyspaces = store_.Keyspaces();
    Add("penstock_pebble_keyspaces", "Keyspaces of the database.", Metric::Kind::kGauge,
        static_cast<double>(keyspaces.size()));
    // Those of one name together, as they are served.
    for (const Property& each : kOfKeyspace) {
      for (size_t i = 0; i < keyspaces.size() && i < kMaxKeyspaceFigures; ++i) {
        uint64_t value = 0;
        if (!store_.db()->GetIntProperty(keyspaces[i].second.get(), each.property, &value))
          continue;
        Add(each, value, {{"keyspace", keyspaces[i].first}});
      }
    }
  }

  void Add(const Property& property, uint64_t value, Labels labels = {}) {
    Add(property.name, property.help, Metric::Kind::kGauge, static_cast<double>(value),
        std::move(labels));
  }

  void Add(const char* name, const char* help, Metric::Kind kind, double value,
           Labels labels = {}) {
    metrics_.push_back({name, help, kind, std::move(labels), value});
  }

  const Store& store_;
  std::vector<Metric> metrics_;
};

}  // namespace

std::vector<Metric> CollectMetrics(const Store& store) { return Collector(store).Collect(); }

}  // namespace penstock::pebble
