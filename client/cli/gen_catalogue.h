// Reads the catalogue of a database.
#ifndef PENSTOCK_CLIENT_CLI_GEN_CATALOGUE_H_
#define PENSTOCK_CLIENT_CLI_GEN_CATALOGUE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/cli/gen_schema.h"

namespace penstock::cli {

// A table or view. `columns` are filled in by ReadCatalogueColumns at the latest; they have no kind
// yet.
struct CatalogueTable {
  GenTable table = {};
  // The quoted name for use in SELECT.
  std::string reference = {};
  bool readable = true;
  std::map<std::string, GenColumn> columns = {};
};

// Reads all tables and views of the database except the backend's own, in any order.
absl::StatusOr<std::vector<CatalogueTable>> ReadCatalogue(const Context& ctx, Executor* db,
                                                          sql::Dialect dialect);

// Reads the columns of a table if ReadCatalogue has not read them. They are read one table at a
// time on SQLite, whose catalogue fails for a view of a table that was dropped; a user who does not
// ask for that view must not notice.
absl::Status ReadCatalogueColumns(const Context& ctx, Executor* db, sql::Dialect dialect,
                                  CatalogueTable* table);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_GEN_CATALOGUE_H_
