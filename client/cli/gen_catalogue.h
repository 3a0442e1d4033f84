// What a database says of its tables in its own catalogue.
#ifndef PENSTOCK_CLIENT_CLI_GEN_CATALOGUE_H_
#define PENSTOCK_CLIENT_CLI_GEN_CATALOGUE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/gen_schema.h"

namespace penstock::cli {

// A table or view, and its columns by their names, once they are read; they have no kind yet.
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

// Reads the columns of one, where ReadCatalogue has not read all: SQLite's catalogue fails for a
// view of a table that has gone, which is nothing to those who do not ask for it.
absl::Status ReadCatalogueColumns(const Context& ctx, Executor* db, sql::Dialect dialect,
                                  CatalogueTable* table);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_GEN_CATALOGUE_H_
