// Values in and out of SQLite, which stores five types and declares any.
#ifndef PENSTOCK_DRIVERS_SQLITE_VALUES_H_
#define PENSTOCK_DRIVERS_SQLITE_VALUES_H_

#include <string_view>

#include "absl/status/status.h"
#include "drivers/api/row_writer.h"
#include "drivers/api/value.h"

struct sqlite3_stmt;

namespace penstock::sqlite {

// The kind that a column declared as `declared_type` holds.
driver::Kind KindOfDeclaredType(std::string_view declared_type);

// Binds `value` to the parameter at `index` (from 1). The value's bytes stay
// alive until the statement has been reset. Refuses what SQLite would not keep
// as it is.
absl::Status Bind(sqlite3_stmt* statement, int index, const driver::Value& value);

// Writes the value of a column of the current row. `kind` is the declared one;
// a value whose storage does not fit it keeps its own kind.
absl::Status WriteColumn(sqlite3_stmt* statement, int index, driver::Kind kind,
                         driver::RowWriter* writer);

}  // namespace penstock::sqlite

#endif  // PENSTOCK_DRIVERS_SQLITE_VALUES_H_
