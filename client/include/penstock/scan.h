// Converts the values of a row to variables. Rows::Scan does so for a whole row, Convert for a
// single Value.
//
//   variable                   takes
//   any integer type           integer, if it is in range
//   double, float              real (float: if exact), integer if exact
//   bool                       boolean, and the integers 0 and 1, since a condition
//                              on SQLite is an integer
//   std::string                text, decimal, date, time, interval, uuid, json
//   std::string_view           the same, and blob; it refers to the row, or to the Value, and
//                              is valid until the next row
//   Bytes, std::vector<std::byte>  blob
//   Decimal                    decimal, integer
//   TimeOfDay, Interval,
//   Uuid, Json                 the kind of their name, text
//   absl::Time, Timestamp,
//   chrono::sys_time           timestamp, text of the form YYYY-MM-DD HH:MM:SS[.fraction]
//   absl::CivilSecond          the same, if it has no fraction; the time is in UTC
//   absl::CivilDay,
//   chrono::year_month_day     date, text of the form YYYY-MM-DD
//   chrono::duration,
//   absl::Duration             interval without years, months and days, text of that form
//   an enumeration             integer, or text if it has EnumNames, see types.h
//   std::vector<T>             array of what T takes
//   std::array<T>, std::span<T>  the same, if the size is equal; a std::array or std::span of
//                              std::byte takes a blob of its size. A span is written through.
//   Value                      anything, including NULL
//   std::optional<T>           NULL, or what T takes
//
// Text is accepted for other types because an expression on SQLite, such as min(at), has no
// declared type, so that its value comes as the text that is stored. Everything else, including a
// value that would be rounded, is refused with INVALID_ARGUMENT, and the variable keeps its value.
#ifndef PENSTOCK_SCAN_H_
#define PENSTOCK_SCAN_H_

#include <array>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "penstock/value.h"

namespace penstock {

// Refers to a value that somebody else owns and keeps alive. Only implementations of Rows need it,
// for Destination::Assign.
struct ValueView {
  // kUnspecified means NULL.
  Kind kind = Kind::kUnspecified;
  // The nanoseconds of a kTimestamp.
  int32_t nanos = 0;
  // A kBoolean (0 or 1), a kInteger, or the seconds of a kTimestamp.
  int64_t integer = 0;
  // A kReal.
  double real = 0;
  // A value of any kind that travels as text or bytes.
  std::string_view text = {};
  // The elements of a kArray.
  const std::vector<Value>* elements = nullptr;

  static ValueView Of(const Value& value);
  Value Copy() const;
};

namespace internal {

// The name of an integer type in error messages.
template <typename T>
std::string IntegerName() {
  return (std::is_signed_v<T> ? "int" : "uint") + std::to_string(sizeof(T) * 8) + "_t";
}

absl::Status ReadInteger(const ValueView& from, int64_t min, int64_t max, std::string (*target)(),
                         int64_t* to);
absl::Status Read(const ValueView& from, bool* to);
absl::Status Read(const ValueView& from, double* to);
absl::Status Read(const ValueView& from, float* to);
absl::Status Read(const ValueView& from, std::string* to);
absl::Status Read(const ValueView& from, Bytes* to);
absl::Status Read(const ValueView& from, Timestamp* to);
absl::Status Read(const ValueView& from, absl::Time* to);
absl::Status Read(const ValueView& from, Value* to);
absl::Status Read(const ValueView& from, std::string_view* to);
absl::Status Read(const ValueView& from, Decimal* to);
absl::Status Read(const ValueView& from, TimeOfDay* to);
absl::Status Read(const ValueView& from, Interval* to);
absl::Status Read(const ValueView& from, Uuid* to);
absl::Status Read(const ValueView& from, Json* to);
absl::Status Read(const ValueView& from, absl::CivilDay* to);
absl::Status Read(const ValueView& from, absl::CivilSecond* to);
absl::Status Read(const ValueView& from, std::chrono::year_month_day* to);
absl::Status Read(const ValueView& from, absl::Duration* to);
absl::Status Read(const ValueView& from, std::vector<std::byte>* to);
absl::Status ReadDuration(const ValueView& from, std::chrono::nanoseconds* to);
// Returns "INVALID_ARGUMENT: KIND cannot be read as TARGET: WHY".
absl::Status RefuseRead(const ValueView& from, std::string_view target, std::string_view why = "");

template <IntegerType T>
absl::Status Read(const ValueView& from, T* to) {
  using Limits = std::numeric_limits<T>;
  constexpr int64_t kMax = std::in_range<int64_t>(Limits::max())
                               ? static_cast<int64_t>(Limits::max())
                               : std::numeric_limits<int64_t>::max();
  int64_t integer = 0;
  absl::Status read = ReadInteger(from, Limits::min(), kMax, &IntegerName<T>, &integer);
  if (read.ok()) *to = static_cast<T>(integer);
  return read;
}

template <typename Rep, typename Period>
absl::Status Read(const ValueView& from, std::chrono::duration<Rep, Period>* to) {
  using To = std::chrono::duration<Rep, Period>;
  std::chrono::nanoseconds exact{};
  if (absl::Status read = ReadDuration(from, &exact); !read.ok()) return read;
  const To value = std::chrono::duration_cast<To>(exact);
  // Floating-point rounding is allowed if no other nanosecond has the same number.
  using Wide = std::chrono::duration<long double, std::nano>;
  const bool same = std::floating_point<Rep>
                        ? std::abs(Wide(value).count() - Wide(exact).count()) < 0.5L
                        : value == exact;
  if (!same) return RefuseRead(from, "std::chrono::duration", "it would be rounded");
  *to = value;
  return absl::OkStatus();
}

template <typename Duration>
absl::Status Read(const ValueView& from, std::chrono::sys_time<Duration>* to) {
  using std::chrono::nanoseconds;
  using std::chrono::seconds;
  constexpr std::string_view kTarget = "std::chrono::sys_time";
  Timestamp time;
  if (absl::Status read = Read(from, &time); !read.ok()) return read;
  // Compares in long double, which holds what the duration's own type cannot.
  using Wide = std::chrono::duration<long double, typename Duration::period>;
  const long double wide = Wide(seconds(time.seconds)).count();
  const long double most =
      static_cast<long double>(std::numeric_limits<typename Duration::rep>::max());
  if (wide >= most || wide <= -most) return RefuseRead(from, kTarget, "it is out of range");
  const Duration whole = std::chrono::duration_cast<Duration>(seconds(time.seconds));
  const Duration rest = std::chrono::duration_cast<Duration>(nanoseconds(time.nanos));
  if (rest != nanoseconds(time.nanos) || whole != seconds(time.seconds)) {
    return RefuseRead(from, kTarget, "it would be rounded");
  }
  *to = std::chrono::sys_time<Duration>(whole + rest);
  return absl::OkStatus();
}

// The integer type that an enumeration is stored as. For a character type it is the integer type
// of the same sign and size.
template <typename T>
struct Underlying {
  using Type = std::underlying_type_t<T>;
  using Number =
      std::conditional_t<IntegerType<Type> || std::same_as<Type, bool>, std::type_identity<Type>,
                         std::conditional_t<std::is_signed_v<Type>, std::make_signed<Type>,
                                            std::make_unsigned<Type>>>::type;
};

template <typename T>
requires std::is_enum_v<T> absl::Status Read(const ValueView& from, T* to) {
  if constexpr (NamedEnum<T>) {
    if (from.kind != Kind::kText) return RefuseRead(from, "an enumeration with names");
    for (const auto& [enumerator, name] : EnumNames<T>::kNames) {
      if (from.text != name) continue;
      *to = enumerator;
      return absl::OkStatus();
    }
    return RefuseRead(from, "an enumeration", "EnumNames does not have it");
  } else {
    typename Underlying<T>::Number number{};
    absl::Status read = Read(from, &number);
    if (read.ok()) *to = static_cast<T>(number);
    return read;
  }
}

template <typename T>
absl::Status Read(const ValueView& from, std::vector<T>* to);
template <typename T, std::size_t N>
requires(!std::is_const_v<T>) absl::Status Read(const ValueView& from, std::span<T, N>* to);
template <typename T, std::size_t N>
absl::Status Read(const ValueView& from, std::array<T, N>* to);

template <typename T>
absl::Status Read(const ValueView& from, std::optional<T>* to) {
  if (from.kind == Kind::kUnspecified) {
    to->reset();
    return absl::OkStatus();
  }
  T value{};
  absl::Status read = Read(from, &value);
  if (read.ok()) *to = std::move(value);
  return read;
}

template <typename T>
absl::Status Read(const ValueView& from, std::vector<T>* to) {
  if (from.kind != Kind::kArray) return RefuseRead(from, "std::vector");
  std::vector<T> elements;
  elements.reserve(from.elements->size());
  for (const Value& element : *from.elements) {
    T value{};
    absl::Status read = Read(ValueView::Of(element), &value);
    if (!read.ok()) return read;
    elements.push_back(std::move(value));
  }
  *to = std::move(elements);
  return absl::OkStatus();
}

// The INVALID_ARGUMENT for an array of `size` elements and a variable of `places`.
absl::Status RefuseSize(const ValueView& from, std::size_t size, std::size_t places);

template <typename T, std::size_t N>
requires(!std::is_const_v<T>) absl::Status Read(const ValueView& from, std::span<T, N>* to) {
  std::vector<T> elements;
  if (absl::Status read = Read(from, &elements); !read.ok()) return read;
  if (elements.size() != to->size()) return RefuseSize(from, elements.size(), to->size());
  for (std::size_t i = 0; i < elements.size(); ++i) (*to)[i] = std::move(elements[i]);
  return absl::OkStatus();
}

template <typename T, std::size_t N>
absl::Status Read(const ValueView& from, std::array<T, N>* to) {
  std::span<T> places(*to);
  return Read(from, &places);
}

}  // namespace internal

// A type that a value can be converted to.
template <typename T>
concept Scannable = requires(const ValueView& from, T* to) {
  internal::Read(from, to);
};

// Refers to a variable of any Scannable type. The caller keeps the variable alive.
class Destination {
 public:
  template <Scannable T>
  explicit Destination(T* variable)
      : variable_(variable), assign_([](const ValueView& from, void* to) {
          return internal::Read(from, static_cast<T*>(to));
        }) {}

  // Converts `from` into the variable. The INVALID_ARGUMENT of a failure names the value's kind and
  // the variable's type.
  absl::Status Assign(const ValueView& from) const { return assign_(from, variable_); }

 private:
  void* variable_;
  absl::Status (*assign_)(const ValueView&, void*);
};

// Converts one value by the rules at the top of this header.
template <Scannable T>
absl::Status Convert(const Value& from, T* to) {
  return internal::Read(ValueView::Of(from), to);
}

}  // namespace penstock

#endif  // PENSTOCK_SCAN_H_
