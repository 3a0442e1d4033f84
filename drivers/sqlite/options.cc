#include "drivers/sqlite/options.h"

#include <atomic>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "drivers/sqlite/sqlite_driver.h"
#include "fmt/format.h"

namespace penstock::sqlite {
namespace {

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
    return absl::InvalidArgumentError(
        "no file is named; write a path or :memory:, or remove the key for the default file");
  }
  if (path.find("://") != std::string::npos) {
    return absl::InvalidArgumentError(
        "the database is a URL; on sqlite write the path of a file, or choose another driver");
  }
  if (path.find('\0') != std::string::npos) {
    return absl::InvalidArgumentError("the path of the database contains a NUL character");
  }
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    return absl::InvalidArgumentError(
        "the database cannot be opened: it is a folder; write the path of a file in it");
  }
  // SQLite gives names that begin so a meaning of their own.
  const bool special = path.starts_with(':') || path.starts_with("file:");
  options->file_name = special ? "./" + path : path;
  return absl::OkStatus();
}

const std::string& LocationOf(const driver::Config& config) {
  return config.database.empty() ? config.connection_string : config.database;
}

}  // namespace

absl::StatusOr<Options> ParseOptions(const driver::Config& config) {
  absl::StatusOr<driver::OptionValues> values =
      driver::OptionValues::Read(Spec().info.name, Spec().options, config.options);
  if (!values.ok()) return values.status();
  Options options;
  options.statement_cache_size = config.statement_cache_size;
  options.max_value_bytes = config.max_value_bytes;
  options.synchronous = values->Text("synchronous");
  options.busy_timeout_ms = static_cast<int>(values->Number("busy_timeout_ms"));
  options.foreign_keys = values->Switch("foreign_keys");
  options.allow_attach = values->Switch("allow_attach");
  options.leniency = {.trusted_schema = values->Switch("trusted_schema"),
                      .double_quoted_strings = values->Switch("double_quoted_strings")};
  options.cache_size_kib = values->Number("cache_size_kib");
  options.mmap_size_bytes = values->Number("mmap_size_bytes");
  options.max_page_count = values->Number("max_page_count");
  options.interruptible_like = values->Switch("interruptible_like");
  options.max_temp_mib = values->Number("max_temp_mib");
  if (!config.database.empty() && !config.connection_string.empty() &&
      config.database != config.connection_string) {
    return absl::InvalidArgumentError(
        "database and connection_string name different files; remove one of them");
  }
  absl::Status located = ParseLocation(LocationOf(config), &options);
  if (!located.ok()) return located;
  return options;
}

std::string PathOf(const driver::Config& config) {
  Options options;
  if (!ParseLocation(LocationOf(config), &options).ok() || options.in_memory) return {};
  return options.path;
}

}  // namespace penstock::sqlite
