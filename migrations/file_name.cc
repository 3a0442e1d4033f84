#include "migrations/file_name.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "drivers/api/error.h"
#include "fmt/format.h"

namespace penstock::migrations {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

constexpr std::string_view kExtension = ".sql";

absl::Status NameError(std::string_view file, std::string_view what) {
  return MakeErrorWithHint(Reason::kInvalidParameter,
                           fmt::format("{}: the name is not a migration's: {}", file, what),
                           "name it like 0001_create_users.up.sql and 0001_create_users.down.sql, "
                           "or 0001_create_users.up.sqlite.sql for one driver; move other files "
                           "out of the folder");
}

// Takes what follows the last dot of `text` away and returns it.
std::string_view TakeEnding(std::string_view* text) {
  const size_t dot = text->rfind('.');
  if (dot == std::string_view::npos) return {};
  const std::string_view ending = text->substr(dot + 1);
  *text = text->substr(0, dot);
  return ending;
}

absl::StatusOr<int64_t> ParseVersion(std::string_view file, std::string_view digits) {
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(),
                                     [](unsigned char c) { return std::isdigit(c) != 0; })) {
    return NameError(file, "it does not begin with a version, which is a number, and '_'");
  }
  int64_t version = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), version);
  if (error != std::errc()) return NameError(file, "its version is beyond 9223372036854775807");
  if (version == 0) return NameError(file, "its version is 0, which stands for an empty database");
  return version;
}

}  // namespace

bool IsDriverName(std::string_view name) {
  constexpr std::array<std::string_view, 5> kDrivers = {"sqlite", "postgres", "cockroachdb",
                                                        "pebble", "rocksdb"};
  return std::find(kDrivers.begin(), kDrivers.end(), name) != kDrivers.end();
}

absl::StatusOr<FileName> ParseFileName(std::string_view file) {
  std::string_view rest = file.substr(0, file.size() - kExtension.size());
  FileName parsed;
  std::string_view ending = TakeEnding(&rest);
  if (ending != "up" && ending != "down" && !ending.empty()) {
    std::string_view before = rest;
    const std::string_view direction = TakeEnding(&before);
    if (direction == "up" || direction == "down") {
      if (!IsDriverName(ending)) {
        return NameError(file, fmt::format("'{}' is not a driver", ending));
      }
      parsed.driver = ending == "rocksdb" ? "pebble" : std::string(ending);
      ending = direction;
      rest = before;
    }
  }
  if (ending != "up" && ending != "down") {
    return NameError(file, "it says neither .up nor .down before .sql");
  }
  parsed.direction = ending == "up" ? Direction::kUp : Direction::kDown;
  const size_t underscore = rest.find('_');
  absl::StatusOr<int64_t> version = ParseVersion(file, rest.substr(0, underscore));
  if (!version.ok()) return version.status();
  if (underscore == std::string_view::npos || underscore + 1 == rest.size()) {
    return NameError(file, "after the version it has no '_' and name");
  }
  parsed.version = *version;
  parsed.name = rest.substr(underscore + 1);
  return parsed;
}

}  // namespace penstock::migrations
