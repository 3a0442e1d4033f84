// Reads the file name of a migration.
#ifndef PENSTOCK_MIGRATIONS_FILE_NAME_H_
#define PENSTOCK_MIGRATIONS_FILE_NAME_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "migrations/history.h"

namespace penstock::migrations {

struct FileName {
  uint64_t version = 0;
  // "create_users".
  std::string name;
  Direction direction = Direction::kUp;
  // Empty: for every driver.
  std::string driver;
};

// The name ends in ".sql", in letters of either case.
bool IsSqlFile(std::string_view file);

// The version is a number, before which a V may stand, as Flyway has it ("V1__a", "V0001.A").
//
// Reads the names that golang-migrate reads, <version>_<name>.<up|down>.<anything>, where
// a name of a driver before or after the direction makes it that driver's variant.
// Nothing: it is no migration's, and `*why` says why not. An error names the file: it is
// meant to be a migration's and is not.
absl::StatusOr<std::optional<FileName>> ParseFileName(std::string_view file, std::string* why);

// The name has .up or .down in it.
bool SaysDirection(std::string_view file);

// The same of a file that says no direction: <version>_<name>.sql, or <version>_<name>.sqlite.sql
// for one driver.
absl::StatusOr<FileName> ParseNameOfBoth(std::string_view file);

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_FILE_NAME_H_
