// Refuses formats with which SQL's printf would do harm.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_PRINTF_FORMAT_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_PRINTF_FORMAT_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace penstock::sqlite_engine {

// The largest number of times that a %c of `format` repeats its character; 0 if there
// is none. `argument` tells the n-th argument after the format, from 0, as an integer;
// there may be fewer than are asked for, which are 0 then. The format is read as
// SQLite's printf() reads it.
int64_t MostRepeatsOfC(std::string_view format, const std::function<int64_t(size_t)>& argument);

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_PRINTF_FORMAT_H_
