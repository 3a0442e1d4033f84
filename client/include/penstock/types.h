// Types for values that C++ has no suitable type for. value.h says which values they become in a
// statement, scan.h which values of a row they accept.
#ifndef PENSTOCK_TYPES_H_
#define PENSTOCK_TYPES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"

namespace penstock {

// Bytes, as opposed to text.
struct Bytes {
  std::string data = {};
  bool operator==(const Bytes&) const = default;
};

// A point in time as databases store it: with a wider range and a coarser resolution than
// absl::Time.
struct Timestamp {
  // Seconds since 1970-01-01T00:00:00Z.
  int64_t seconds = 0;
  // From 0 to 999,999,999.
  int32_t nanos = 0;
  bool operator==(const Timestamp&) const = default;

  // Returns `time` rounded down to a microsecond, which every backend can store. PostgreSQL and
  // CockroachDB refuse finer times, such as absl::Now(). An infinite time becomes the last, or
  // the first, second of 64 bits, which every backend refuses.
  static Timestamp Micros(absl::Time time);
  // Returns the current time, rounded down to a microsecond. Thread-safe.
  static Timestamp Now();
};

// The next five types hold the text of a value. The daemon or its backend checks it.

// An exact number, such as "-12.50" or "1e400".
struct Decimal {
  std::string text = {};
  bool operator==(const Decimal&) const = default;
};

// HH:MM:SS with an optional fraction and offset.
struct TimeOfDay {
  std::string text = {};
  bool operator==(const TimeOfDay&) const = default;
};

// An ISO 8601 duration, such as P1Y2M3DT4H5M6S. A std::chrono::duration converts to an interval
// without years, months and days.
struct Interval {
  std::string text = {};
  bool operator==(const Interval&) const = default;
};

// 8-4-4-4-12 hexadecimal digits.
struct Uuid {
  std::string text = {};
  bool operator==(const Uuid&) const = default;
};

// A JSON document.
struct Json {
  std::string text = {};
  bool operator==(const Json&) const = default;
};

// Specialise it with the texts that an enumeration is stored as. An enumeration without a
// specialisation is stored as its number.
//
//   template <>
//   struct penstock::EnumNames<State> {
//     static constexpr std::pair<State, std::string_view> kNames[] = {
//         {State::kNew, "new"}, {State::kPaid, "paid"}};
//   };
//
// An enumerator without a text, and a text of a row that is not listed, are refused.
template <typename E>
struct EnumNames;

template <typename E>
concept NamedEnum = requires {
  EnumNames<E>::kNames[0].second;
};

}  // namespace penstock

#endif  // PENSTOCK_TYPES_H_
