// Finds the columns in which a statement stores its parameters.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_PARAMETER_STORES_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_PARAMETER_STORES_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "drivers/api/value.h"
#include "drivers/sqlite_engine/exact.h"
#include "drivers/sqlite_engine/policy.h"
#include "drivers/sqlite_engine/program.h"

struct sqlite3_stmt;

namespace penstock::sqlite_engine {

// Says what SQLite's program for a statement does with each parameter that it hands on unchanged,
// through subqueries, temporary tables and INSTEAD OF triggers as well. Left out is what an
// expression makes of a parameter, a CAST among them, and what a trigger makes of a row that
// is stored already: that is SQL of the caller's and the schema's own. A program with an
// instruction that is not known counts as storing each of its parameters anywhere.
//
// SQLite is asked once, and again when the schema has changed. Used by the thread of the
// statement's connection; the statement and the policy outlive it.
class ParameterStores {
 public:
  ParameterStores(sqlite3_stmt* statement, Policy* policy);
  ParameterStores(const ParameterStores&) = delete;
  ParameterStores& operator=(const ParameterStores&) = delete;

  // Follows the schema. To be called before Of, in the transaction that the statement runs in,
  // so that the schema is still the same then.
  void Refresh();
  // Those of the parameter at `index`, from 1.
  Stores Of(int index) const;
  // Why `value`, for which ToBind has nothing, cannot be stored; names the column.
  absl::Status Refuse(int index, const driver::Value& value) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  void Read();
  // The table and the column in which the parameter has one of `stores`; empty where SQLite
  // does not tell. It is asked again, for the sake of an error.
  std::pair<std::string, std::string> FindColumn(int index, Stores stores) const;
  // Makes `watch_` look at the schemas that the programs use, and steps it; false: it failed.
  bool WatchSchemas(const std::vector<Program>& programs);

  sqlite3_stmt* const statement_;
  Policy* const policy_;
  // It reads nothing. SQLite prepares it anew when the schema has changed, whoever changed it,
  // and counts that.
  std::unique_ptr<sqlite3_stmt, Finalize> watch_;
  int watch_prepared_times_ = 0;
  // Indexed by parameter, from 1; parameters beyond the end are stored nowhere.
  std::vector<Stores> stores_;
  bool known_ = false;
};

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_PARAMETER_STORES_H_
