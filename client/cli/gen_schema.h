// Reads the tables of a database that `penstock gen` writes.
#ifndef PENSTOCK_CLIENT_CLI_GEN_SCHEMA_H_
#define PENSTOCK_CLIENT_CLI_GEN_SCHEMA_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "penstock/provider.h"
#include "penstock/sql/dialect.h"

namespace penstock::cli {

struct GenColumn {
  std::string name = {};
  // kUnspecified if the database does not tell.
  Kind kind = Kind::kUnspecified;
  // The database's own name for the type; may be empty.
  std::string native_type = {};
  bool nullable = true;
  bool in_primary_key = false;
  // True for a computed column, which cannot be set.
  bool generated = false;
};

struct GenTable {
  // Empty if the session's search path finds the table.
  std::string schema = {};
  std::string name = {};
  bool is_view = false;
  std::vector<GenColumn> columns = {};

  // Returns "audit.events", or only the name if the schema is empty.
  std::string FullName() const { return schema.empty() ? name : schema + "." + name; }
};

struct GenSchema {
  // Sorted by name.
  std::vector<GenTable> tables = {};
  // The full names of the tables that this user may not read, sorted.
  std::vector<std::string> unreadable = {};
};

// Reads the tables that match a pattern, or all tables if there is no pattern, from one snapshot. A
// pattern is a name, or a schema, a dot and a name, in which * stands for any characters.
// Penstock's own tables (penstock_…) match only patterns that begin with penstock_. Errors:
// NOT_FOUND, with a list of the tables, if a pattern matches none or the database has none; the
// database's error, with the table's name, if a table cannot be read, such as a view of a table
// that was dropped.
absl::StatusOr<GenSchema> ReadGenSchema(const Context& ctx, Provider* db, sql::Dialect dialect,
                                        const std::vector<std::string>& patterns);

// Returns true if `pattern`, in which * stands for any characters, matches all of `text`.
bool FitsPattern(std::string_view pattern, std::string_view text);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_GEN_SCHEMA_H_
