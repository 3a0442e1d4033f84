// Types of values that C++ has no type of its own for. value.h and scan.h say what they
// become in a statement, and what of a row they take.
#ifndef PENSTOCK_TYPES_H_
#define PENSTOCK_TYPES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/time/time.h"

namespace penstock {

// Bytes, told apart from text.
struct Bytes {
  std::string data = {};
  bool operator==(const Bytes&) const = default;
};

// A point in time as databases keep it: a wider range and a coarser grain than
// absl::Time has.
struct Timestamp {
  // Since 1970-01-01T00:00:00Z.
  int64_t seconds = 0;
  // 0 to 999,999,999.
  int32_t nanos = 0;
  bool operator==(const Timestamp&) const = default;

  // The microsecond that `time` is in, which is as fine as each backend keeps: PostgreSQL and
  // CockroachDB refuse what is finer, and absl::Now() is. An infinite time becomes the last, or
  // the first, second of 64 bits, which no backend takes.
  static Timestamp Micros(absl::Time time);
  // Now, to the microsecond. Thread-safe.
  static Timestamp Now();
};

// The next five hold the text of a value, which the daemon, or its backend, checks.

// An exact number: "-12.50", "1e400".
struct Decimal {
  std::string text = {};
  bool operator==(const Decimal&) const = default;
};

// HH:MM:SS with an optional fraction and offset.
struct TimeOfDay {
  std::string text = {};
  bool operator==(const TimeOfDay&) const = default;
};

// ISO 8601: P1Y2M3DT4H5M6S. A std::chrono::duration is one without years, months and days.
struct Interval {
  std::string text = {};
  bool operator==(const Interval&) const = default;
};

// 8-4-4-4-12 hexadecimal digits.
struct Uuid {
  std::string text = {};
  bool operator==(const Uuid&) const = default;
};

// A document.
struct Json {
  std::string text = {};
  bool operator==(const Json&) const = default;
};

// The texts that an enumeration is stored as. An enumeration without is stored as its number.
//
//   template <>
//   struct penstock::EnumNames<State> {
//     static constexpr std::pair<State, std::string_view> kNames[] = {
//         {State::kNew, "new"}, {State::kPaid, "paid"}};
//   };
//
// An enumerator, or a text of a row, that is not among them is refused.
template <typename E>
struct EnumNames;

template <typename E>
concept NamedEnum = requires {
  EnumNames<E>::kNames[0].second;
};

}  // namespace penstock

#endif  // PENSTOCK_TYPES_H_
