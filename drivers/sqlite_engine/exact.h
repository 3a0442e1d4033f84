// Which values a column of SQLite keeps: an affinity turns texts into numbers and
// numbers into texts.
#ifndef PENSTOCK_DRIVERS_SQLITE_ENGINE_EXACT_H_
#define PENSTOCK_DRIVERS_SQLITE_ENGINE_EXACT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "drivers/api/value.h"

namespace penstock::sqlite_engine {

// A set of bits that say what the columns do in which a parameter is stored.
using Stores = uint8_t;
// It is stored nowhere: it is compared, or part of an expression.
constexpr Stores kNowhere = 0;
// BLOB affinity, that is none, or a virtual table: nothing is converted.
constexpr Stores kVerbatim = 1;
// TEXT affinity: a real is written with 15 digits.
constexpr Stores kAsText = 2;
// INTEGER or NUMERIC affinity, or a row's id: a text that looks like a number becomes one.
constexpr Stores kAsNumber = 4;
// REAL affinity: likewise, and an integer becomes a real.
constexpr Stores kAsReal = 8;
// Not known; or all of them.
constexpr Stores kAnywhere = kVerbatim | kAsText | kAsNumber | kAsReal;

// True if the value may be bound as it is whatever it is used for. Cheap.
bool IsKeptAnywhere(const driver::Value& value);

// Returns what to bind so that all these columns keep `value`: itself, or for a text that stands
// for a number that number. Nothing: one of them would change it. Kept is
//   of a text each character,
//   of a decimal and of a number in JSON the value, not the scale,
//   of an integer and a real the value.
// A value that is malformed is itself; borrows what `value` does.
std::optional<driver::Value> ToBind(const driver::Value& value, Stores stores);

// Says what a column does to a value that it does not keep (the words after "would"), and what
// the caller can do about it.
struct Loss {
  std::string_view what;
  std::string_view hint;
};
Loss LossOf(driver::Kind kind);

// True if a decimal is a whole number of 64 bits or has no more than 15 significant digits,
// so that a number of SQLite has its value.
bool KeepsDecimal(std::string_view text);

// The shortest decimal that reads back as the same double.
std::string RealText(double value);

}  // namespace penstock::sqlite_engine

#endif  // PENSTOCK_DRIVERS_SQLITE_ENGINE_EXACT_H_
