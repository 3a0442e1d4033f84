// The configuration of a RocksDB database, checked.
#ifndef PENSTOCK_DRIVERS_PEBBLE_OPTIONS_H_
#define PENSTOCK_DRIVERS_PEBBLE_OPTIONS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "drivers/api/config.h"

namespace penstock::pebble {

enum class Compression : uint8_t { kNone, kSnappy, kLz4, kZstd };

// Each option is described in spec.cc, with its default.
struct Options {
  // The database's, for errors.
  std::string name;
  // The folder of the database.
  std::string path;
  bool create = false;
  // Commits wait for the write-ahead log to be on the disk.
  bool sync = false;
  Compression compression = Compression::kNone;
  int64_t block_cache_mib = 0;
  int64_t write_buffer_mib = 0;
  int max_open_files = 0;
  int max_keyspaces = 0;
  std::chrono::milliseconds lock_timeout{};
  size_t max_value_bytes = 0;
  size_t statement_cache_size = 0;
};

// INVALID_ARGUMENT says what is wrong with which option.
absl::StatusOr<Options> ParseOptions(const driver::Config& config);

}  // namespace penstock::pebble

#endif  // PENSTOCK_DRIVERS_PEBBLE_OPTIONS_H_
