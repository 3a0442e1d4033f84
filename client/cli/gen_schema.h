// The tables of a database, as `penstock gen` writes them down.
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
  // kUnspecified where the database does not know.
  Kind kind = Kind::kUnspecified;
  // The database's own name of the type; may be empty.
  std::string native_type = {};
  bool nullable = true;
  bool in_primary_key = false;
  // It is computed from others, and cannot be set.
  bool generated = false;
};

struct GenTable {
  // Empty where the name alone finds it.
  std::string schema = {};
  std::string name = {};
  bool is_view = false;
  std::vector<GenColumn> columns = {};

  // "audit.events", or the name alone.
  std::string FullName() const { return schema.empty() ? name : schema + "." + name; }
};

struct GenSchema {
  // In the order of their names.
  std::vector<GenTable> tables = {};
  // The full names of those that this user may not read, in their order.
  std::vector<std::string> unreadable = {};
};

// Reads those that a pattern fits, or all for no pattern, of one snapshot. A pattern is a name, or
// a schema, a point and a name, in which * stands for any letters. Penstock's own (penstock_…) are
// meant by patterns that begin so, and by no other. NOT_FOUND, which lists what there is, for a
// pattern that fits none, and for a database without tables; what the database says, with the
// table's name, for one that cannot be read, such as a view of a table that has gone.
absl::StatusOr<GenSchema> ReadGenSchema(const Context& ctx, Provider* db, sql::Dialect dialect,
                                        const std::vector<std::string>& patterns);

// Whether `pattern`, in which * stands for any letters, is all of `text`.
bool FitsPattern(std::string_view pattern, std::string_view text);

}  // namespace penstock::cli

#endif  // PENSTOCK_CLIENT_CLI_GEN_SCHEMA_H_
