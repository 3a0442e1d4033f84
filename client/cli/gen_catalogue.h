// What a database says of its tables in its own catalogue.
#ifndef PENSTOCK_CLIENT_CLI_GEN_CATALOGUE_H_
#define PENSTOCK_CLIENT_CLI_GEN_CATALOGUE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/cli/gen_schema.h"

namespace penstock::cli {

// A table or view, and its columns by their names; they have no kind yet.
struct CatalogueTable {
  GenTable table = {};
  // What SELECT calls it, quoted.
  std::string reference = {};
  bool readable = true;
  std::map<std::string, GenColumn> columns = {};
};

// All tables and views of the database, but those of the backend itself, in any order.
absl::StatusOr<std::vector<CatalogueTable>> ReadCatalogue(const Context& ctx, Executor* db,
                                                          sql::Dialect dialect);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_GEN_CATALOGUE_H_
