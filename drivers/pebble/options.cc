#include "drivers/pebble/options.h"

#include <string_view>

#include "drivers/pebble/pebble_driver.h"

namespace penstock::pebble {
namespace {

Compression ToCompression(std::string_view word) {
  if (word == "none") return Compression::kNone;
  if (word == "snappy") return Compression::kSnappy;
  return word == "zstd" ? Compression::kZstd : Compression::kLz4;
}

}  // namespace

absl::StatusOr<Options> ParseOptions(const driver::Config& config) {
  absl::StatusOr<driver::OptionValues> values =
      driver::OptionValues::Read(Spec().info.name, Spec().options, config.options);
  if (!values.ok()) return values.status();
  Options options;
  options.name = config.name;
  options.max_value_bytes = config.max_value_bytes;
  options.statement_cache_size = config.statement_cache_size;
  options.create = values->Switch("create");
  options.sync = values->Text("wal_sync") == "commit";
  options.compression = ToCompression(values->Text("compression"));
  options.block_cache_mib = values->Number("block_cache_mib");
  options.write_buffer_mib = values->Number("write_buffer_mib");
  options.max_open_files = static_cast<int>(values->Number("max_open_files"));
  options.max_keyspaces = static_cast<int>(values->Number("max_keyspaces"));
  options.lock_timeout = std::chrono::milliseconds(values->Number("lock_timeout_ms"));
  if (!config.database.empty() && !config.connection_string.empty() &&
      config.database != config.connection_string) {
    return absl::InvalidArgumentError(
        "database and connection_string name different folders; remove one of them");
  }
  options.path = config.database.empty() ? config.connection_string : config.database;
  if (options.path.empty() || options.path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("no folder is named; set database to the path of one");
  }
  if (options.path == ":memory:") {
    return absl::InvalidArgumentError(
        "pebble keeps its data in a folder; set database to the path of one, or use sqlite");
  }
  return options;
}

}  // namespace penstock::pebble
