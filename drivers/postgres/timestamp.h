// The server's text of a point in time.
#ifndef PENSTOCK_DRIVERS_POSTGRES_TIMESTAMP_H_
#define PENSTOCK_DRIVERS_POSTGRES_TIMESTAMP_H_

#include <cstdint>
#include <string_view>

namespace penstock::postgres {

// Reads "2024-02-29 12:00:00.5+05:30", with an offset if it is `zoned`; without one it is UTC.
// `seconds` are since 1970, `nanos` within the second. False: it is not in that form, or, by
// UTC, not in the years 1 to 9999, whatever the year that the zone makes of it ("0001-12-31
// 19:00:00-05 BC" is in them).
bool ReadTimestamp(std::string_view text, bool zoned, int64_t* seconds, int32_t* nanos);

}  // namespace penstock::postgres

#endif  // PENSTOCK_DRIVERS_POSTGRES_TIMESTAMP_H_
