// The header that `penstock gen` writes.
#ifndef PENSTOCK_CLIENT_CLI_GEN_HEADER_H_
#define PENSTOCK_CLIENT_CLI_GEN_HEADER_H_

#include <string>
#include <string_view>
#include <vector>

#include "client/cli/gen_schema.h"

namespace penstock::cli {

struct GenHeader {
  std::string text = {};
  // For people: names that C++ has other names for, and columns of types that it has none for.
  std::vector<std::string> notes = {};
};

// The tables as structs of the query builder, in the namespace `name_space`. The same schema is the
// same text.
GenHeader WriteGenHeader(const GenSchema& schema, sql::Dialect dialect,
                         std::string_view name_space);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_GEN_HEADER_H_
