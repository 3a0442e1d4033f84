#include "migrations/file_name.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <iterator>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "drivers/api/error.h"
#include "drivers/api/spec.h"
#include "fmt/format.h"
#include "text/string_views.h"

namespace penstock::migrations {
namespace {

using driver::MakeErrorWithHint;
using driver::Reason;

constexpr std::string_view kExtension = ".sql";

absl::Status NameError(std::string_view file, std::string_view what) {
  return MakeErrorWithHint(Reason::kInvalidParameter,
                           fmt::format("{}: invalid name for a migration file: {}", file, what),
                           "name it like 0001_create_users.up.sql and 0001_create_users.down.sql, "
                           "or 0001_create_users.up.sqlite.sql for one driver");
}

// How tools call databases that no driver of ours is for.
constexpr std::string_view kOthers[] = {
    "mysql",   "mariadb",   "oracle",   "mssql",   "sqlserver", "clickhouse", "cassandra",
    "mongodb", "snowflake", "redshift", "spanner", "h2",        "db2"};

// The driver that `word` means, empty for a database that has none; nothing: it is no name of a
// database.
std::optional<std::string> FindDatabase(std::string_view word) {
  if (const driver::DriverSpec* const spec = driver::FindDriverOfFile(word)) return spec->info.name;
  const bool known = std::find(std::begin(kOthers), std::end(kOthers), word) != std::end(kOthers);
  return known ? std::optional<std::string>("") : std::nullopt;
}

// The file's name cut at its direction: the last part that is one, not the first and not
// the last of all.
struct Parts {
  std::string_view before;  // "0001_create_users"
  std::string_view direction;
  std::string_view after;  // "sqlite" of ".sqlite.sql"; empty of ".sql"
};

std::optional<Parts> CutAtDirection(std::string_view file) {
  std::string_view rest = file.substr(0, file.size() - kExtension.size());
  for (size_t end = rest.size();;) {
    const size_t dot = end == 0 ? std::string_view::npos : rest.rfind('.', end - 1);
    if (dot == std::string_view::npos) return std::nullopt;
    const std::string_view part = rest.substr(dot + 1, end - dot - 1);
    if (part == "up" || part == "down") {
      return Parts{.before = rest.substr(0, dot),
                   .direction = part,
                   .after = end < rest.size() ? rest.substr(end + 1) : std::string_view()};
    }
    end = dot;
  }
}

struct Head {
  uint64_t version = 0;
  std::string_view name;
};

// "0001_create_users", whose separator is one of `separators`. Empty: `*why` says why it is
// none.
absl::StatusOr<std::optional<Head>> ParseHead(std::string_view file, std::string_view text,
                                              std::string_view separators, std::string* why) {
  // "V0001.Initial", "V1__initial": as Flyway has them.
  const bool flyway = text.size() > 1 && (text[0] == 'V' || text[0] == 'v') &&
                      std::isdigit(static_cast<unsigned char>(text[1])) != 0;
  if (flyway) text.remove_prefix(1);
  const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  const bool dot = flyway && digits < text.size() && text[digits] == '.';
  if (dot && digits + 1 < text.size() &&
      std::isdigit(static_cast<unsigned char>(text[digits + 1])) != 0) {
    return NameError(file, "its version has several parts instead of one number");
  }
  if (digits == 0 ||
      (digits < text.size() && !dot && separators.find(text[digits]) == std::string::npos)) {
    *why = "it does not begin with a version number and '_'";
    return std::nullopt;
  }
  if (digits + 1 >= text.size()) {
    *why = "its version is not followed by '_' and a name";
    return std::nullopt;
  }
  Head head{.version = 0, .name = text.substr(digits + 1)};
  if (flyway && head.name.size() > 1 && head.name.starts_with('_')) head.name.remove_prefix(1);
  if (std::from_chars(text.data(), text.data() + digits, head.version).ec != std::errc()) {
    return NameError(file, "its version exceeds 18446744073709551615");
  }
  return head;
}

}  // namespace

bool IsSqlFile(std::string_view file) {
  return file.size() > kExtension.size() &&
         absl::EndsWithIgnoreCase(ToAbsl(file), ToAbsl(kExtension));
}

absl::StatusOr<std::optional<FileName>> ParseFileName(std::string_view file, std::string* why) {
  const std::optional<Parts> parts = CutAtDirection(file);
  if (!parts.has_value()) {
    *why = "it has neither .up nor .down before .sql";
    const std::string lower = absl::AsciiStrToLower(ToAbsl(file));
    if (!CutAtDirection(lower).has_value()) return std::nullopt;
    return NameError(file, "'up' and 'down' must be in lower case");
  }
  FileName parsed;
  parsed.direction = parts->direction == "up" ? Direction::kUp : Direction::kDown;
  absl::StatusOr<std::optional<Head>> head = ParseHead(file, parts->before, "_", why);
  if (!head.ok() || !head->has_value()) {
    if (!head.ok()) return head.status();
    return std::nullopt;
  }
  parsed.version = (*head)->version;
  std::string_view name = (*head)->name;
  std::optional<std::string> database = FindDatabase(parts->after);
  std::string_view called = parts->after;
  if (!database.has_value()) {
    const size_t dot = name.rfind('.');
    if (dot != std::string_view::npos && dot > 0) {
      called = name.substr(dot + 1);
      database = FindDatabase(called);
      if (database.has_value()) name = name.substr(0, dot);
    }
  }
  parsed.name = name;
  if (!database.has_value()) return parsed;
  if (database->empty()) {
    *why = fmt::format("'{}' is not a driver of Penstock", called);
    return std::nullopt;
  }
  parsed.driver = *database;
  return parsed;
}

bool SaysDirection(std::string_view file) {
  return CutAtDirection(absl::AsciiStrToLower(ToAbsl(file))).has_value();
}

absl::StatusOr<FileName> ParseNameOfBoth(std::string_view file) {
  std::string why;
  absl::StatusOr<std::optional<Head>> head =
      ParseHead(file, file.substr(0, file.size() - kExtension.size()), "_-", &why);
  if (!head.ok()) return head.status();
  if (!head->has_value()) return NameError(file, why);
  FileName parsed;
  parsed.version = (*head)->version;
  parsed.name = (*head)->name;
  const size_t dot = parsed.name.rfind('.');
  const std::optional<std::string> database =
      dot == std::string::npos || dot == 0
          ? std::nullopt
          : FindDatabase(std::string_view(parsed.name).substr(dot + 1));
  if (!database.has_value()) return parsed;
  if (database->empty()) {
    return NameError(file, "it is for a database that Penstock does not support");
  }
  parsed.driver = *database;
  parsed.name.resize(dot);
  return parsed;
}

}  // namespace penstock::migrations
