// Many rows of one INSERT as a few arrays, or as one COPY.
#ifndef PENSTOCK_DRIVERS_POSTGRES_BULK_H_
#define PENSTOCK_DRIVERS_POSTGRES_BULK_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "drivers/api/value.h"
#include "drivers/postgres/encode.h"
#include "drivers/postgres/types.h"

namespace penstock::postgres {

// "INSERT INTO t(a, b) VALUES($1, $2)" with its parameters, in their order, and
// nothing else: the same statement that takes an array for each parameter. None:
// it is another statement, whose rows are run one by one.
std::optional<std::string> BulkForm(std::string_view sql);

// The same statement for `rows` rows: "INSERT INTO t(a, b) VALUES ($1,$2),($3,$4),…". None: it is
// another statement, or has no parameters.
std::optional<std::string> SeveralForm(std::string_view sql, size_t rows);

// The COPY of the same rows, for one that names its columns.
struct CopyForm {
  // The table as the statement names it, for to_regclass; no string needs escapes for it.
  std::string table;
  std::string sql;
};
std::optional<CopyForm> CopyFormOf(std::string_view sql);

// The types of those arrays; empty: not each parameter has one.
std::vector<uint32_t> BulkTypes(std::span<const Type* const> parameters);

// Makes the array of column `column` (from 0) of `rows`, at the end of `arena`. An
// error: a value does not suit `type`, which is that of one of them.
absl::Status EncodeBulkColumn(size_t column, std::span<const std::vector<driver::Value>> rows,
                              const Type& type, std::string* arena, Parameter* parameter);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_BULK_H_
