// Single values in the text that the server has for them.
#ifndef PENSTOCK_DRIVERS_POSTGRES_SCALAR_H_
#define PENSTOCK_DRIVERS_POSTGRES_SCALAR_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "drivers/api/value.h"
#include "drivers/postgres/types.h"

namespace penstock::postgres {

// Reads a value of `type`, which is no array, that is not NULL, into `value`, which is NULL
// before. What the kind cannot hold, or what is not in the form of the kind because the statement
// has changed a setting (DateStyle, IntervalStyle), becomes a text with exactly what the server
// has sent. It borrows from `text`, or from `kept`, where a blob's bytes are decoded to, and a
// decimal's text is made plain; no other kind needs that. False: no server writes a value of that
// type so, or it is not UTF-8.
bool ReadScalar(const Type& type, std::string_view text, std::string* kept, driver::Value* value);

// How many bytes the value has that is sent as `text`: those of a bytea, not of its digits.
size_t ContentBytes(const Type& type, std::string_view text);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_SCALAR_H_
