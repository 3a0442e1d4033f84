#include "drivers/sqlite/options.h"

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <limits>
#include <optional>
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
  if (text == "on" || text == "true" || text == "yes") {
    *value = true;
  } else if (text == "off" || text == "false" || text == "no") {
    *value = false;
  } else {
    return Bad(key, "expected on or off");
  }
  return absl::OkStatus();
}

absl::Status ParseOption(const std::string& key, const std::string& text, Options* options) {
  // SQLite multiplies some of them by 1024.
  constexpr int64_t kLargest = std::numeric_limits<int>::max();
  constexpr int64_t kHour = 3'600'000;
  if (key == "synchronous") {
    if (text != "normal" && text != "full" && text != "extra") {
      return Bad(key, "expected full, extra or normal");
    }
    options->synchronous = text;
    return absl::OkStatus();
  }
  if (key == "busy_timeout_ms") {
    int64_t value = 0;
    absl::Status status = ParseNumber(key, text, kHour, &value);
    options->busy_timeout_ms = static_cast<int>(value);
    return status;
  }
  if (key == "foreign_keys") return ParseSwitch(key, text, &options->foreign_keys);
  if (key == "allow_attach") return ParseSwitch(key, text, &options->allow_attach);
  if (key == "trusted_schema") return ParseSwitch(key, text, &options->leniency.trusted_schema);
  if (key == "double_quoted_strings") {
    return ParseSwitch(key, text, &options->leniency.double_quoted_strings);
  }
  if (key == "cache_size_kib") return ParseNumber(key, text, kLargest, &options->cache_size_kib);
  if (key == "mmap_size_bytes") {
    return ParseNumber(key, text, std::numeric_limits<int64_t>::max(), &options->mmap_size_bytes);
  }
  if (key == "max_page_count") return ParseNumber(key, text, kLargest, &options->max_page_count);
  if (key == "interruptible_like") return ParseSwitch(key, text, &options->interruptible_like);
  if (key == "max_temp_mib") {
    return ParseNumber(key, text, std::numeric_limits<int64_t>::max() >> 20,
                       &options->max_temp_mib);
  }
  if (key == "journal_mode") {
    return text == "wal" ? absl::OkStatus()
                         : Bad(key, "only wal lets readers and the writer work side by side");
  }
  return Bad(key,
             "sqlite has no such option; it has synchronous, busy_timeout_ms, foreign_keys, "
             "allow_attach, trusted_schema, double_quoted_strings, cache_size_kib, "
             "mmap_size_bytes, max_page_count, interruptible_like, max_temp_mib and journal_mode");
}

// Nothing for a `%` that two hexadecimal digits do not follow.
std::optional<std::string> Unescape(std::string_view text) {
  std::string plain;
  for (; !text.empty(); text.remove_prefix(1)) {
    if (text.front() != '%') {
      plain += text.front();
      continue;
    }
    unsigned value = 0;
    if (text.size() < 3) return std::nullopt;
    const auto [stop, error] = std::from_chars(text.data() + 1, text.data() + 3, value, 16);
    if (error != std::errc() || stop != text.data() + 3) return std::nullopt;
    plain += static_cast<char>(value);
    text.remove_prefix(2);
  }
  return plain;
}

// "mode=ro" and the like. Whatever else SQLite knows would undo what the driver
// relies on (its VFS, its locks, its own cache).
absl::Status ParseUriQuery(std::string_view query, Options* options) {
  if (query.empty() || query == "mode=rwc") return absl::OkStatus();
  if (query == "mode=rw") {
    options->create = false;
  } else if (query == "mode=ro") {
    options->create = false;
    options->read_only = true;
  } else {
    return absl::InvalidArgumentError(
        fmt::format("the URI of the database has '?{}'; only mode=ro, mode=rw and mode=rwc are "
                    "known",
                    query));
  }
  return absl::OkStatus();
}

absl::Status ParseUri(std::string_view uri, Options* options) {
  std::string_view rest = uri.substr(std::string_view("file:").size());
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    if (rest.starts_with("localhost/")) rest.remove_prefix(std::string_view("localhost").size());
    if (!rest.starts_with('/')) {
      return absl::InvalidArgumentError("the URI of the database names a host; write file:/path");
    }
  }
  rest = rest.substr(0, rest.find('#'));
  const size_t mark = rest.find('?');
  const std::optional<std::string> path = Unescape(rest.substr(0, mark));
  if (!path.has_value()) {
    return absl::InvalidArgumentError(
        "the URI of the database has a % without two hexadecimal digits");
  }
  options->path = *path;
  return mark == std::string_view::npos ? absl::OkStatus()
                                        : ParseUriQuery(rest.substr(mark + 1), options);
}

absl::Status ParseLocation(const std::string& location, Options* options) {
  options->path = location;
  if (location == ":memory:") {
    // The memdb VFS shares one database between connections of a process by name.
    static std::atomic<uint64_t> next_number{0};
    options->in_memory = true;
    options->file_name = fmt::format("file:/penstock-{}?vfs=memdb", next_number++);
    return absl::OkStatus();
  }
  if (location.starts_with("file:")) {
    absl::Status status = ParseUri(location, options);
    if (!status.ok()) return status;
  }
  const std::string& path = options->path;
  if (path.empty()) {
    return absl::InvalidArgumentError("no file is named; set database to a path, or to :memory:");
  }
  if (path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("the path of the database has a NUL character in it");
  }
  // SQLite gives names that begin so a meaning of their own.
  const bool special = path.starts_with(':') || path.starts_with("file:");
  options->file_name = special ? "./" + path : path;
  return absl::OkStatus();
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
  if (!config.database.empty() && !config.connection_string.empty() &&
      config.database != config.connection_string) {
    return absl::InvalidArgumentError(
        "database and connection_string name different files; leave one out");
  }
  absl::Status located =
      ParseLocation(config.database.empty() ? config.connection_string : config.database, &options);
  if (!located.ok()) return located;
  return options;
}

}  // namespace penstock::sqlite
