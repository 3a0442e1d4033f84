// Values on their way out of PostgreSQL, which sends all of them as text.
#ifndef PENSTOCK_DRIVERS_POSTGRES_DECODE_H_
#define PENSTOCK_DRIVERS_POSTGRES_DECODE_H_

#include <string_view>

#include "absl/status/status.h"
#include "drivers/api/row_writer.h"
#include "drivers/postgres/types.h"

namespace penstock::postgres {

// Writes one value that is not NULL. What its kind cannot hold (a timestamp of infinity, a date
// before Christ, an array with bounds of its own), or what a setting of the statement's own has
// put into another form (DateStyle, IntervalStyle), is written as the text that the server has
// sent. DATA_EXCEPTION: no server writes a value of that type so, or it is not UTF-8; nothing is
// written then. The error names the type and not the value.
absl::Status WriteValue(const Type& type, std::string_view text, driver::RowWriter* writer);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_DECODE_H_
