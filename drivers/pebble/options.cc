#include "drivers/pebble/options.h"

#include <charconv>
#include <string_view>

#include "fmt/format.h"

namespace penstock::pebble {
namespace {

absl::Status Bad(std::string_view key, std::string_view problem) {
  return absl::InvalidArgumentError(fmt::format("option {}: {}", key, problem));
}

template <typename Number>
absl::Status ParseNumber(std::string_view key, const std::string& text, Number min, Number max,
                         Number* value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *value);
  if (error == std::errc() && stop == end && *value >= min && *value <= max) {
    return absl::OkStatus();
  }
  return Bad(key, fmt::format("expected a number from {} to {}", min, max));
}

absl::Status ParseSync(const std::string& text, bool* sync) {
  if (text != "commit" && text != "os") return Bad("wal_sync", "expected commit or os");
  *sync = text == "commit";
  return absl::OkStatus();
}

absl::Status ParseSwitch(std::string_view key, const std::string& text, bool* value) {
  if (text != "on" && text != "off" && text != "true" && text != "false") {
    return Bad(key, "expected on or off");
  }
  *value = text == "on" || text == "true";
  return absl::OkStatus();
}

absl::Status ParseCompression(const std::string& text, Compression* compression) {
  if (text == "none") {
    *compression = Compression::kNone;
  } else if (text == "snappy") {
    *compression = Compression::kSnappy;
  } else if (text == "lz4") {
    *compression = Compression::kLz4;
  } else if (text == "zstd") {
    *compression = Compression::kZstd;
  } else {
    return Bad("compression", "expected lz4, zstd, snappy or none");
  }
  return absl::OkStatus();
}

absl::Status ParseOption(const std::string& key, const std::string& text, Options* options) {
  constexpr int64_t kMaxMib = int64_t{1} << 20;
  if (key == "wal_sync") return ParseSync(text, &options->sync);
  if (key == "create") return ParseSwitch(key, text, &options->create);
  if (key == "compression") return ParseCompression(text, &options->compression);
  if (key == "block_cache_mib") {
    return ParseNumber<int64_t>(key, text, 1, kMaxMib, &options->block_cache_mib);
  }
  if (key == "write_buffer_mib") {
    return ParseNumber<int64_t>(key, text, 1, kMaxMib, &options->write_buffer_mib);
  }
  if (key == "max_open_files") {
    return ParseNumber(key, text, 20, 1'000'000, &options->max_open_files);
  }
  if (key == "max_keyspaces") return ParseNumber(key, text, 1, 10'000, &options->max_keyspaces);
  if (key == "lock_timeout_ms") {
    int milliseconds = 0;
    absl::Status status = ParseNumber(key, text, 0, 3'600'000, &milliseconds);
    options->lock_timeout = std::chrono::milliseconds(milliseconds);
    return status;
  }
  return Bad(key,
             "pebble has no such option; it has wal_sync, compression, block_cache_mib, "
             "write_buffer_mib, max_open_files, max_keyspaces, lock_timeout_ms and create");
}

}  // namespace

absl::StatusOr<Options> ParseOptions(const driver::Config& config) {
  Options options;
  options.name = config.name;
  options.max_value_bytes = config.max_value_bytes;
  options.statement_cache_size = config.statement_cache_size;
  for (const auto& [key, text] : config.options) {
    absl::Status status = ParseOption(key, text, &options);
    if (!status.ok()) return status;
  }
  if (!config.database.empty() && !config.connection_string.empty() &&
      config.database != config.connection_string) {
    return absl::InvalidArgumentError(
        "database and connection_string name different folders; leave one out");
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
