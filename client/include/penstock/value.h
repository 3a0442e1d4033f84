// Values: parameters of a statement, and the content of a row.
//
// Nothing is rounded, truncated or guessed. A C++ value that cannot be kept
// exactly makes the call fail; a value that does not fit into the variable it is
// scanned into is refused.
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

// What a value is, whatever the backend calls it. The numbers are those of
// penstock.v1.Kind.
enum class Kind : uint8_t {
  // Of a value: NULL. Of a column: not known before its values are seen (an expression
  // on SQLite, say).
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

// "boolean", "integer", …; "null" for kUnspecified.
std::string_view KindName(Kind kind);

template <typename T>
concept IntegerType = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                      !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
                      !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

class Value;

namespace internal {

// C++ types of other libraries as values; see the table below.
Value ToValue(absl::CivilDay day);
Value ToValue(absl::CivilSecond second);
Value ToValue(absl::Duration duration);
Value ToValue(std::chrono::year_month_day day);
Value ToValue(std::chrono::sys_time<std::chrono::nanoseconds> time);
Value ToValue(std::chrono::nanoseconds duration);
// Without the range of nanoseconds, which is 292 years around 1970.
Value ToValue(std::chrono::sys_seconds time);
// No name of EnumNames is that of the enumerator.
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

// An element of an array. Bytes one after another are a blob, and Values a list of arguments.
template <typename T>
concept Element = !std::same_as<std::remove_const_t<T>, std::byte> &&
                  !std::same_as<std::remove_const_t<T>, Value>;

}  // namespace internal

// One value of any kind. It owns what it holds. Conversions from C++ values are
// implicit, so that they can stand as arguments of Query and Exec:
//
//   C++                                       kind
//   bool; any integer                         boolean; integer
//   float, double                             real
//   text of any sort, in UTF-8                text
//   Bytes; a vector, array or span of std::byte blob
//   Decimal, TimeOfDay, Interval, Uuid, Json  as they are called, see types.h
//   absl::Time, Timestamp, chrono::sys_time   timestamp
//   absl::CivilSecond                         timestamp, taken to be in UTC
//   absl::CivilDay, chrono::year_month_day    date
//   chrono::duration, absl::Duration          interval, exact
//   an enumeration                            integer, or text: see EnumNames
//   std::vector, std::array, std::span
//   of any of these                           array
//   std::optional of any of these             NULL, or that
//
// Thread-safe for concurrent reading.
class Value {
 public:
  // NULL.
  Value() = default;
  Value(const Value&);
  Value(Value&&) noexcept;
  Value& operator=(const Value&);
  Value& operator=(Value&&) noexcept;
  ~Value();
  Value(std::nullptr_t) {}

  // Only from bool itself, not from what happens to convert to it.
  template <std::same_as<bool> T>
  Value(T v) : kind_(Kind::kBoolean), content_(v) {}

  // Any width. A value above int64's range has no place on the wire: the
  // result is invalid, see status().
  template <IntegerType T>
  Value(T v) : Value(static_cast<int64_t>(v), std::in_range<int64_t>(v)) {}

  Value(float v) : Value(static_cast<double>(v)) {}
  Value(double v) : kind_(Kind::kReal), content_(v) {}
  // It would be rounded.
  Value(long double) = delete;

  // Text must be UTF-8. A null pointer is NULL.
  Value(const char* v);
  Value(std::string v) : Value(Kind::kText, std::move(v)) {}
  Value(std::string_view v) : Value(Kind::kText, std::string(v)) {}
  // Where Abseil's is a type of its own.
  template <std::same_as<absl::string_view> T>
  requires(!std::same_as<T, std::string_view>) Value(T v)
      : Value(Kind::kText, std::string(v.data(), v.size())) {}

  Value(Bytes v) : Value(Kind::kBlob, std::move(v.data)) {}
  // Of anything that is bytes one after another.
  template <std::convertible_to<std::span<const std::byte>> T>
  Value(const T& v) : Value(FromBytes(v)) {}
  Value(penstock::Decimal v) : Value(Kind::kDecimal, std::move(v.text)) {}
  Value(TimeOfDay v) : Value(Kind::kTime, std::move(v.text)) {}
  Value(penstock::Interval v) : Value(Kind::kInterval, std::move(v.text)) {}
  Value(penstock::Uuid v) : Value(Kind::kUuid, std::move(v.text)) {}
  Value(penstock::Json v) : Value(Kind::kJson, std::move(v.text)) {}

  // Invalid if it is infinite or not a whole number of nanoseconds.
  Value(absl::Time v);
  Value(Timestamp v) : kind_(Kind::kTimestamp), content_(v) {}

  // Invalid if it does not fit: a date beyond the years 1 to 9999, a duration beyond the
  // range of nanoseconds.
  template <internal::ForeignTime T>
  Value(const T& v) : Value(FromTime(v)) {}

  // Invalid if EnumNames has names, and none for it.
  template <typename T>
  requires std::is_enum_v<T> Value(T v) : Value(FromEnum(v)) {}

  // An array. One of Values is no argument but a list of such, see Args.
  template <internal::Element T>
  requires std::constructible_from<Value, const T&> Value(const std::vector<T>& v)
      : Value(Array(std::vector<Value>(v.begin(), v.end()))) {}
  template <internal::Element T, std::size_t N>
  requires std::constructible_from<Value, const T&> Value(const std::array<T, N>& v)
      : Value(Array(std::vector<Value>(v.begin(), v.end()))) {}
  template <internal::Element T, std::size_t N>
  requires std::constructible_from<Value, const T&> Value(std::span<T, N> v)
      : Value(Array(std::vector<Value>(v.begin(), v.end()))) {}

  // NULL if it is empty.
  template <typename T>
  requires std::constructible_from<Value, const T&> Value(const std::optional<T>& v)
      : Value(v.has_value() ? Value(*v) : Value()) {}
  Value(std::nullopt_t) {}

  // No other pointer is a value.
  template <typename T>
  Value(T*) = delete;

  // The daemon, or its backend, checks the text of these.
  // An exact number: "-12.50", "1e400".
  static Value Decimal(std::string text) { return Value(Kind::kDecimal, std::move(text)); }
  // YYYY-MM-DD.
  static Value Date(std::string text) { return Value(Kind::kDate, std::move(text)); }
  // HH:MM:SS with an optional fraction and offset.
  static Value Time(std::string text) { return Value(Kind::kTime, std::move(text)); }
  // ISO 8601: P1Y2M3DT4H5M6S.
  static Value Interval(std::string text) { return Value(Kind::kInterval, std::move(text)); }
  // 8-4-4-4-12 hexadecimal digits.
  static Value Uuid(std::string text) { return Value(Kind::kUuid, std::move(text)); }
  // A document.
  static Value Json(std::string text) { return Value(Kind::kJson, std::move(text)); }
  static Value Array(std::vector<Value> elements);

  // kUnspecified for NULL, and for an invalid value.
  Kind kind() const { return kind_; }
  bool is_null() const { return kind_ == Kind::kUnspecified; }

  // INVALID_ARGUMENT if the C++ value it was made from cannot be kept exactly;
  // a call that is given it fails with this. An array is as invalid as its elements.
  absl::Status status() const;

  // The content. Call only what suits kind(); the behaviour is undefined otherwise.
  bool boolean() const { return std::get<bool>(content_); }
  int64_t integer() const { return std::get<int64_t>(content_); }
  double real() const { return std::get<double>(content_); }
  // kTimestamp.
  const Timestamp& timestamp() const { return std::get<Timestamp>(content_); }
  // Every kind that travels as text or bytes: kText, kBlob, kDecimal, kDate,
  // kTime, kInterval, kUuid and kJson.
  const std::string& text() const { return std::get<std::string>(content_); }
  // kArray.
  const std::vector<Value>& elements() const { return std::get<std::vector<Value>>(content_); }

  // Same kind and same content; NULL equals NULL, and a NaN no other real.
  bool operator==(const Value& other) const = default;

  // For logs and test failures: NULL, 42, "text", x'c0ffee', decimal "1.50", [1, 2].
  std::string DebugString() const;

 private:
  struct Invalid {
    const char* why;
    bool operator==(const Invalid&) const = default;
  };

  Value(Kind kind, std::string text);
  // Invalid unless it `fits`.
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
      // The seconds apart, as nanoseconds of 64 bits end in 2262.
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
    // A character is no integer here, but a number that an enumeration is stored as.
    if constexpr (IntegerType<Number> || std::same_as<Number, bool>) {
      return Value(static_cast<Number>(v));
    } else {
      return Value(static_cast<int64_t>(v));
    }
  }
}

// What can be an argument of a statement: anything that a Value is made of. NULL is none of
// these to be told by the compiler, to whom it is the integer 0: write nullptr.
template <typename T>
concept Argument = std::constructible_from<Value, T>;

// Prints DebugString().
std::ostream& operator<<(std::ostream& out, const Value& value);

}  // namespace penstock

#endif  // PENSTOCK_VALUE_H_
