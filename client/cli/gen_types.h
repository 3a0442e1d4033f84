// C++ types for the columns of a database.
#ifndef PENSTOCK_CLIENT_CLI_GEN_TYPES_H_
#define PENSTOCK_CLIENT_CLI_GEN_TYPES_H_

#include <string>

#include "client/cli/gen_schema.h"

namespace penstock::cli {

struct GenType {
  // "std::int64_t", "std::optional<absl::Time>".
  std::string name = {};
  // The database's type has no kind of its own, and its values come as text.
  bool is_unknown = false;
};

GenType TypeOfColumn(const GenColumn& column, sql::Dialect dialect);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_GEN_TYPES_H_
