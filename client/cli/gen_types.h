// Finds C++ types for the columns of a database.
#ifndef PENSTOCK_CLIENT_CLI_GEN_TYPES_H_
#define PENSTOCK_CLIENT_CLI_GEN_TYPES_H_

#include <string>

#include "client/cli/gen_schema.h"

namespace penstock::cli {

struct GenType {
  // For example "std::int64_t" or "std::optional<absl::Time>".
  std::string name = {};
  // True if the database's type has no kind of its own, so that its values come as text.
  bool is_unknown = false;
};

GenType TypeOfColumn(const GenColumn& column, sql::Dialect dialect);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_GEN_TYPES_H_
