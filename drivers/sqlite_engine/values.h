// Values in and out of SQLite, which stores five types and declares any.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_VALUES_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_VALUES_H_

#include <cstdint>
#include <string_view>

#include "absl/status/status.h"
#include "drivers/api/row_writer.h"
#include "drivers/api/value.h"

struct sqlite3_stmt;

namespace penstock::sqlite_engine {

// The kind that a column declared as `declared_type` holds.
driver::Kind KindOfDeclaredType(std::string_view declared_type);

// Whether a bound value's bytes are used where they are, and so must stay alive
// until the statement has been reset, or copied.
enum class Bytes : uint8_t { kBorrow, kCopy };

// Binds `value` to the parameter at `index` (from 1). Refuses what is malformed and what no
// column of SQLite keeps; what some columns do not keep is for the caller to know (exact.h).
absl::Status Bind(sqlite3_stmt* statement, int index, const driver::Value& value, Bytes bytes);

// Writes the value of a column of the current row. `kind` is the declared one; a value
// keeps the kind of its storage unless it is as Bind writes that kind. So a value that is
// bound as it was read finds its row.
absl::Status WriteColumn(sqlite3_stmt* statement, int index, driver::Kind kind,
                         driver::RowWriter* writer);

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_VALUES_H_
