#include <algorithm>
#include <string>
#include <string_view>

#include "drivers/api/spec.h"
#include "drivers/pebble/options.h"
#include "drivers/pebble/pebble_driver.h"

namespace penstock::pebble {
namespace {

using driver::Option;
using enum driver::Option::Type;

constexpr int64_t kMaxMib = int64_t{1} << 20;

constexpr std::string_view kWalSync[] = {"commit", "os"};
constexpr std::string_view kCompressions[] = {"lz4", "zstd", "snappy", "none"};

constexpr Option kOptions[] = {
    {.name = "wal_sync",
     .type = kChoice,
     .fallback = "commit",
     .help = "when a commit is on the disk: `commit`, before it is acknowledged; `os`, when the "
             "operating system writes it, so that a power failure may lose the last ones",
     .words = kWalSync},
    {.name = "compression",
     .type = kChoice,
     .fallback = "lz4",
     .help = "the compression of the table files: `lz4`, `zstd`, `snappy` or `none`",
     .words = kCompressions},
    {.name = "block_cache_mib",
     .type = kNumber,
     .fallback = "64",
     .help = "the memory for data that was read, for all keyspaces",
     .min = 1,
     .max = kMaxMib},
    {.name = "write_buffer_mib",
     .type = kNumber,
     .fallback = "64",
     .help = "the memory for data that is not in a table yet, for all keyspaces",
     .min = 1,
     .max = kMaxMib},
    {.name = "max_open_files",
     .type = kNumber,
     .fallback = "1000",
     .help = "the maximum number of open files",
     .min = 20,
     .max = 1'000'000},
    {.name = "max_keyspaces",
     .type = kNumber,
     .fallback = "100",
     .help = "the maximum number of keyspaces",
     .min = 1,
     .max = 10'000},
    {.name = "lock_timeout_ms",
     .type = kNumber,
     .fallback = "1000",
     .help = "the time to wait for a key that another transaction has locked",
     .max = 3'600'000},
    {.name = "create",
     .type = kSwitch,
     .fallback = "on",
     .help = "creates the database if it does not exist"},
};

// As many tables as it may keep open, and RocksDB's logs, manifest and new tables. Where there
// are few descriptors in all it gets a part: it closes some for others.
int Descriptors(const driver::Config& config, int limit) {
  constexpr int kBesideTables = 64;
  const absl::StatusOr<Options> options = ParseOptions(config);
  const int tables = options.ok() ? options->max_open_files : limit;
  return kBesideTables + std::min(tables, limit / 8);
}

std::string PathOf(const driver::Config& config) {
  return config.database.empty() ? config.connection_string : config.database;
}

driver::DriverSpec MakeSpec() {
  driver::DriverSpec spec;
  // SQL is SQLite's; the tables are not. Reads never wait for the disk that a commit waits for.
  spec.info = {.name = "pebble",
               .dialect = "sqlite",
               .capabilities = {.savepoints = true},
               .split_lanes = true,
               .embedded = true};
  spec.aliases = {"rocksdb"};
  spec.options = kOptions;
  // A connection costs next to nothing: half of them read, the others write or are in
  // transactions.
  spec.pool.max_open = 32;
  spec.database_help = "the path of a folder of its own";
  spec.connection_help = "the path";
  spec.suffix = ".pebble";
  spec.path = PathOf;
  spec.descriptors = Descriptors;
  spec.open = Open;
  spec.check = Check;
  spec.migrations = MakeMigrations;
  return spec;
}

}  // namespace

const driver::DriverSpec& Spec() {
  static const auto* const spec = new driver::DriverSpec(MakeSpec());
  return *spec;
}

}  // namespace penstock::pebble
