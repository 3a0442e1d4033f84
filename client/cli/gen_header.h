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
  // Notes for people: names that had to be changed, and columns whose type has no C++ type.
  std::vector<std::string> notes = {};
};

// Writes the tables as structs for the query builder, in the namespace `name_space`. Equal schemas
// give equal texts.
GenHeader WriteGenHeader(const GenSchema& schema, sql::Dialect dialect,
                         std::string_view name_space);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_GEN_HEADER_H_
