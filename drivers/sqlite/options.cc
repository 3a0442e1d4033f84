#include "drivers/sqlite/options.h"

#include <atomic>
#include <charconv>
#include <functional>
#include <limits>
#include <map>
#include <string_view>

#include "fmt/format.h"

namespace penstock::sqlite {
namespace {

absl::Status Bad(std::string_view key, std::string_view problem) {
  return absl::InvalidArgumentError(fmt::format("option {}: {}", key, problem));
}

absl::Status ParseNumber(std::string_view key, const std::string& text, int64_t max,
                         int64_t* value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, *value);
  if (error == std::errc() && stop == end && *value >= 0 && *value <= max) return absl::OkStatus();
  return Bad(key, fmt::format("expected a number from 0 to {}", max));
}

absl::Status ParseSwitch(std::string_view key, const std::string& text, bool* value) {
  if (text == "true" || text == "on" || text == "yes") {
    *value = true;
  } else if (text == "false" || text == "off" || text == "no") {
    *value = false;
  } else {
    return Bad(key, "expected true or false");
  }
  return absl::OkStatus();
}

absl::Status ParseOption(const std::string& key, const std::string& text, Options* options) {
  constexpr int64_t kAny = std::numeric_limits<int64_t>::max() / 2048;
  if (key == "synchronous") {
    if (text != "off" && text != "normal" && text != "full" && text != "extra") {
      return Bad(key, "expected off, normal, full or extra");
    }
    options->synchronous = text;
    return absl::OkStatus();
  }
  if (key == "busy_timeout_ms") {
    int64_t value = 0;
    absl::Status status = ParseNumber(key, text, 3'600'000, &value);
    options->busy_timeout_ms = static_cast<int>(value);
    return status;
  }
  if (key == "foreign_keys") return ParseSwitch(key, text, &options->foreign_keys);
  if (key == "allow_attach") return ParseSwitch(key, text, &options->allow_attach);
  if (key == "cache_size_kib") return ParseNumber(key, text, kAny, &options->cache_size_kib);
  if (key == "mmap_size_bytes") return ParseNumber(key, text, kAny, &options->mmap_size_bytes);
  if (key == "max_page_count") return ParseNumber(key, text, kAny, &options->max_page_count);
  return Bad(key,
             "sqlite has no such option; it has synchronous, busy_timeout_ms, foreign_keys, "
             "allow_attach, cache_size_kib, mmap_size_bytes and max_page_count");
}

// A path as the path part of a file: URI.
std::string EscapePath(std::string_view path) {
  std::string escaped;
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace

absl::StatusOr<Options> ParseOptions(const driver::Config& config) {
  Options options;
  options.statement_cache_size = config.statement_cache_size;
  options.max_value_bytes = config.max_value_bytes;
  for (const auto& [key, text] : config.options) {
    absl::Status status = ParseOption(key, text, &options);
    if (!status.ok()) return status;
  }
  if (!config.database.empty() && !config.connection_string.empty()) {
    return absl::InvalidArgumentError(
        "both database and connection_string name the file; leave one out");
  }
  options.path = config.database.empty() ? config.connection_string : config.database;
  if (options.path.empty()) {
    return absl::InvalidArgumentError("no file is named; set database to a path, or to :memory:");
  }
  if (options.path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("the path of the database has a NUL character in it");
  }
  if (options.path == ":memory:") {
    // The memdb VFS shares one database between connections of a process by name.
    static std::atomic<uint64_t> next_number{0};
    options.in_memory = true;
    options.uri = fmt::format("file:/penstock-{}?vfs=memdb", next_number++);
  } else if (options.path.starts_with("file:")) {
    options.uri = options.path;
  } else {
    options.uri = "file:" + EscapePath(options.path);
  }
  return options;
}

}  // namespace penstock::sqlite
