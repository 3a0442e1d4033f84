// Values: the parameters of a statement and the content of a row.
//
// Nothing is ever rounded, truncated or guessed. A call fails if it is given a C++ value that
// cannot be represented exactly, and a value that does not fit into the variable it is scanned
// into is refused.
#ifndef PENSTOCK_VALUE_H_
#define PENSTOCK_VALUE_H_

#include <array>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "penstock/types.h"  // IWYU pragma: export

namespace penstock {

// The kind of a value, independent of the backend's name for the type. The numbers are those of
// penstock.v1.Kind.
enum class Kind : uint8_t {
  // The kind of a NULL value. The kind of a column if it is unknown until its values arrive, as for
  // an expression on SQLite.
  kUnspecified = 0,
  kBoolean = 1,
  kInteger = 2,
  kReal = 3,
  kText = 4,
  kBlob = 5,
  kDecimal = 6,
  kTimestamp = 7,
  kDate = 8,
  kTime = 9,
  kInterval = 10,
  kUuid = 11,
  kJson = 12,
  kArray = 13,
};

// Returns "boolean", "integer", …, and "null" for kUnspecified.
std::string_view KindName(Kind kind);

template <typename T>
concept IntegerType = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                      !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
                      !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

class Value;

namespace internal {

// Convert C++ types of other libraries to values; see the table at Value.
Value ToValue(absl::CivilDay day);
Value ToValue(absl::CivilSecond second);
Value ToValue(absl::Duration duration);
Value ToValue(std::chrono::year_month_day day);
Value ToValue(std::chrono::sys_time<std::chrono::nanoseconds> time);
Value ToValue(std::chrono::nanoseconds duration);
// Takes seconds because nanoseconds of 64 bits only cover 292 years around 1970.
Value ToValue(std::chrono::sys_seconds time);
// The invalid value of an enumerator that has no name in EnumNames.
Value UnnamedEnumerator();

template <typename T>
inline constexpr bool kIsChrono = false;
template <typename Rep, typename Period>
inline constexpr bool kIsChrono<std::chrono::duration<Rep, Period>> = std::integral<Rep>;
template <typename Duration>
inline constexpr bool kIsChrono<std::chrono::sys_time<Duration>> = kIsChrono<Duration>;

template <typename T>
concept ForeignTime = kIsChrono<T> || std::same_as<T, std::chrono::year_month_day> ||
    std::same_as<T, absl::CivilDay> || std::same_as<T, absl::CivilSecond> ||
    std::same_as<T, absl::Duration>;

// An element of an array. A sequence of bytes is a blob, and one of Values is a list of arguments.
template <typename T>
concept Element = !std::same_as<std::remove_const_t<T>, std::byte> &&
                  !std::same_as<std::remove_const_t<T>, Value>;

}  // namespace internal

// One value of any kind. It owns its content. Conversions from C++ values are
// implicit, so that C++ values can be passed to Query and Exec:
//
//   C++                                       kind
//   bool; any integer                         boolean; integer
//   float, double                             real
//   any text type, in UTF-8                   text
//   Bytes; a vector, array or span of std::byte blob
//   Decimal, TimeOfDay, Interval, Uuid, Json  the kind of their name; see types.h
//   absl::Time, Timestamp, chrono::sys_time   timestamp
//   absl::CivilSecond                         timestamp, taken to be in UTC
//   absl::CivilDay, chrono::year_month_day    date
//   chrono::duration, absl::Duration          interval, exact
//   an enumeration                            integer, or text; see EnumNames
//   std::vector, std::array, std::span
//   of any of these                           array
//   std::optional of any of these             NULL, or the kind of its value
//
// Thread-safe for concurrent reading.
class Value {
 public:
  // Makes NULL.
  Value() = default;
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();
  Value(std::nullptr_t) {}

  // Accepts bool itself only, not the types that convert to it.
  template <std::same_as<bool> T>
  Value(T v) : kind_(Kind::kBoolean), content_(v) {}

  // Accepts an integer of any width. A value above the range of int64_t, which the protocol cannot
  // carry, makes the result invalid; see status().
  template <IntegerType T>
  Value(T v) : Value(static_cast<int64_t>(v), std::in_range<int64_t>(v)) {}

  Value(float v) : Value(static_cast<double>(v)) {}
  Value(double v) : kind_(Kind::kReal), content_(v) {}
  // A long double would be rounded.
  Value(long double) = delete;

  // Text must be UTF-8. A null pointer makes NULL.
  Value(const char* v);
  Value(std::string v) : Value(Kind::kText, std::move(v)) {}
  Value(std::string_view v) : Value(Kind::kText, std::string(v)) {}
  // For builds in which absl::string_view is not std::string_view.
  template <std::same_as<absl::string_view> T>
  requires(!std::same_as<T, std::string_view>) Value(T v)
      : Value(Kind::kText, std::string(v.data(), v.size())) {}

  Value(Bytes v) : Value(Kind::kBlob, std::move(v.data)) {}
  // Accepts any contiguous sequence of bytes.
  template <std::convertible_to<std::span<const std::byte>> T>
  Value(const T& v) : Value(FromBytes(v)) {}
  Value(penstock::Decimal v) : Value(Kind::kDecimal, std::move(v.text)) {}
  Value(TimeOfDay v) : Value(Kind::kTime, std::move(v.text)) {}
  Value(penstock::Interval v) : Value(Kind::kInterval, std::move(v.text)) {}
  Value(penstock::Uuid v) : Value(Kind::kUuid, std::move(v.text)) {}
  Value(penstock::Json v) : Value(Kind::kJson, std::move(v.text)) {}

  // Invalid if the time is infinite or not a whole number of nanoseconds.
  Value(absl::Time v);
  Value(Timestamp v) : kind_(Kind::kTimestamp), content_(v) {}

  // Invalid if the value does not fit: a date outside of the years 1 to 9999, a duration beyond
  // the range of 64-bit nanoseconds.
  template <internal::ForeignTime T>
  Value(const T& v) : Value(FromTime(v)) {}

  // Invalid if EnumNames is specialised and has no text for `v`.
  template <typename T>
  requires std::is_enum_v<T> Value(T v) : Value(FromEnum(v)) {}

  // Makes an array. A sequence of Values is a list of arguments instead; see Args.
  template <internal::Element T>
  requires std::constructible_from<Value, const T&> Value(const std::vector<T>& v)
      : Value(Array(std::vector<Value>(v.begin(), v.end()))) {}
  template <internal::Element T, std::size_t N>
  requires std::constructible_from<Value, const T&> Value(const std::array<T, N>& v)
      : Value(Array(std::vector<Value>(v.begin(), v.end()))) {}
  template <internal::Element T, std::size_t N>
  requires std::constructible_from<Value, const T&> Value(std::span<T, N> v)
      : Value(Array(std::vector<Value>(v.begin(), v.end()))) {}

  // Makes NULL if `v` is empty.
  template <typename T>
  requires std::constructible_from<Value, const T&> Value(const std::optional<T>& v)
      : Value(v.has_value() ? Value(*v) : Value()) {}
  Value(std::nullopt_t) {}

  // Other pointers are not values; without this they would convert to bool.
  template <typename T>
  Value(T*) = delete;

  // Make a value from its text, which the daemon or its backend checks.
  //
  // An exact number, such as "-12.50" or "1e400".
  static Value Decimal(std::string text) { return Value(Kind::kDecimal, std::move(text)); }
  // YYYY-MM-DD.
  static Value Date(std::string text) { return Value(Kind::kDate, std::move(text)); }
  // HH:MM:SS with an optional fraction and offset.
  static Value Time(std::string text) { return Value(Kind::kTime, std::move(text)); }
  // An ISO 8601 duration, such as P1Y2M3DT4H5M6S.
  static Value Interval(std::string text) { return Value(Kind::kInterval, std::move(text)); }
  // 8-4-4-4-12 hexadecimal digits.
  static Value Uuid(std::string text) { return Value(Kind::kUuid, std::move(text)); }
  // A JSON document.
  static Value Json(std::string text) { return Value(Kind::kJson, std::move(text)); }
  static Value Array(std::vector<Value> elements);

  // kUnspecified for NULL and for an invalid value.
  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kUnspecified; }

  // INVALID_ARGUMENT if the C++ value cannot be represented exactly. A call that is given an
  // invalid value fails with this status. An array is invalid if one of its elements is.
  absl::Status status() const;

  // The content. Call only the function that matches kind(); otherwise the behaviour is undefined.
  bool boolean() const { return std::get<bool>(content_); }
  int64_t integer() const { return std::get<int64_t>(content_); }
  double real() const { return std::get<double>(content_); }
  // For kTimestamp.
  const Timestamp& timestamp() const { return std::get<Timestamp>(content_); }
  // For every kind that travels as text or bytes: kText, kBlob, kDecimal, kDate,
  // kTime, kInterval, kUuid and kJson.
  const std::string& text() const { return std::get<std::string>(content_); }
  // For kArray.
  const std::vector<Value>& elements() const { return std::get<std::vector<Value>>(content_); }

  // True for the same kind and content. NULL equals NULL; a NaN equals nothing.
  bool operator==(const Value& other) const = default;

  // A text for logs and test failures: NULL, 42, "text", x'c0ffee', decimal "1.50", [1, 2].
  std::string DebugString() const;

 private:
  struct Invalid {
    const char* why;
    bool operator==(const Invalid&) const = default;
  };

  Value(Kind kind, std::string text);
  // Makes an invalid value unless `fits`.
  Value(int64_t v, bool fits);

  static Value FromBytes(std::span<const std::byte> bytes);
  template <typename T>
  static Value FromTime(const T& v);
  template <typename T>
  static Value FromEnum(T v);
  friend Value internal::UnnamedEnumerator();
  friend Value internal::ToValue(std::chrono::year_month_day day);
  friend Value internal::ToValue(absl::Duration duration);
  static Value Unfit(const char* why);

  Kind kind_ = Kind::kUnspecified;
  std::variant<std::monostate, bool, int64_t, double, Timestamp, std::string, std::vector<Value>,
               Invalid>
      content_;
};

template <typename T>
Value Value::FromTime(const T& v) {
  using std::chrono::nanoseconds;
  if constexpr (!internal::kIsChrono<T>) {
    return internal::ToValue(v);
  } else if constexpr (requires { v.time_since_epoch(); }) {
    if constexpr (std::ratio_greater_equal_v<typename T::period, std::ratio<1>>) {
      return internal::ToValue(std::chrono::time_point_cast<std::chrono::seconds>(v));
    } else {
      static_assert(std::ratio_greater_equal_v<typename T::period, std::nano>,
                    "a time finer than a nanosecond does not fit");
      // Splits off the seconds, because nanoseconds of 64 bits end in 2262.
      const auto seconds = std::chrono::floor<std::chrono::seconds>(v);
      return Value(Timestamp{seconds.time_since_epoch().count(),
                             static_cast<int32_t>(nanoseconds(v - seconds).count())});
    }
  } else {
    static_assert(std::ratio_greater_equal_v<typename T::period, std::nano>,
                  "a duration finer than a nanosecond does not fit");
    using Wide = std::chrono::duration<long double, std::nano>;
    constexpr long double kMost = 0x1p63L;
    if (Wide(v).count() >= kMost || Wide(v).count() < -kMost) {
      return Unfit("a duration beyond 292 years does not fit; use penstock::Interval");
    }
    return internal::ToValue(std::chrono::duration_cast<nanoseconds>(v));
  }
}

template <typename T>
Value Value::FromEnum(T v) {
  if constexpr (NamedEnum<T>) {
    for (const auto& [enumerator, name] : EnumNames<T>::kNames) {
      if (enumerator == v) return Value(std::string_view(name));
    }
    return internal::UnnamedEnumerator();
  } else {
    using Number = std::underlying_type_t<T>;
    // A character type counts as an integer here, although a plain character is not a Value.
    if constexpr (IntegerType<Number> || std::same_as<Number, bool>) {
      return Value(static_cast<Number>(v));
    } else {
      return Value(static_cast<int64_t>(v));
    }
  }
}

// A type that can be an argument of a statement: anything that a Value can be made of. For the
// compiler the macro NULL is the integer 0; write nullptr for an SQL NULL.
template <typename T>
concept Argument = std::constructible_from<Value, T>;

// Prints DebugString().
std::ostream& operator<<(std::ostream& out, const Value& value);

}  // namespace penstock

#endif  // PENSTOCK_VALUE_H_
