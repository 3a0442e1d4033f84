// What a migration's file name says.
#ifndef PENSTOCK_MIGRATIONS_FILE_NAME_H_
#define PENSTOCK_MIGRATIONS_FILE_NAME_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "migrations/history.h"

namespace penstock::migrations {

struct FileName {
  int64_t version = 0;
  // "create_users".
  std::string name;
  Direction direction = Direction::kUp;
  // Empty: for every driver.
  std::string driver;
};

// Of a name that ends in ".sql". Errors name it and say what is wrong.
absl::StatusOr<FileName> ParseFileName(std::string_view file);

// A name that may be a variant's: the drivers there are.
bool IsDriverName(std::string_view name);

}  // namespace penstock::migrations

#endif  // PENSTOCK_MIGRATIONS_FILE_NAME_H_
