// The forms of the texts that stand for values of a kind, on the wire and in a backend.
#ifndef PENSTOCK_DRIVERS_API_TEXT_FORMS_H_
#define PENSTOCK_DRIVERS_API_TEXT_FORMS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace penstock::driver {

// YYYY-MM-DD, a day that exists.
bool IsDate(std::string_view text);
// HH:MM:SS[.fraction][Z or ±HH:MM].
bool IsTime(std::string_view text);
// ISO 8601: P1Y2M3W4DT5H6M7.5S or a part of it; it and its parts may have signs.
bool IsInterval(std::string_view text);
bool IsUuid(std::string_view text);
// Digits with an optional sign, point and exponent.
bool IsDecimal(std::string_view text);
// The one text of a decimal, which every driver answers with: digits, without an exponent and
// without zeros in front that say nothing, a point with digits behind it where there is a scale
// ("1E+4" is 10000, "-.50" -0.50, "-0" 0), and a minus. `text` is a decimal. As it is, if it would
// have more digits than PostgreSQL's numeric has (131,072 before the point, 16,383 behind it).
std::string PlainDecimal(std::string_view text);
// It is so already: the usual case, which is cheap to tell.
bool IsPlainDecimal(std::string_view text);

// "YYYY-MM-DD HH:MM:SS" (or with a T), an optional fraction of up to nine
// digits and an optional Z or ±HH:MM; without one it is UTC.
bool ParseTimestamp(std::string_view text, int64_t* seconds, int32_t* nanos);

// Likewise, of the one form that FormatTimestamp writes.
bool ParseStoredTimestamp(std::string_view text, int64_t* seconds, int32_t* nanos);

// The form in which timestamps are stored: UTC, with a fraction of no, three,
// six or nine digits, as few as do. Such texts have the order of their times. Empty for a year
// outside 1 to 9999.
std::string FormatTimestamp(int64_t seconds, int32_t nanos);

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_TEXT_FORMS_H_
