// Values: parameters of a statement, and the content of a row.
//
// Nothing is rounded, truncated or guessed. A C++ value that cannot be kept
// exactly makes the call fail; a value that does not fit into the variable it is
// scanned into is refused.
#ifndef PENSTOCK_VALUE_H_
#define PENSTOCK_VALUE_H_

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

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

template <typename T>
concept IntegerType = std::integral<T> && !std::same_as<T, bool> && !std::same_as<T, char> &&
                      !std::same_as<T, wchar_t> && !std::same_as<T, char8_t> &&
                      !std::same_as<T, char16_t> && !std::same_as<T, char32_t>;

// One value of any kind. It owns what it holds. Conversions from C++ values are
// implicit, so that they can stand as arguments of Query and Exec. Thread-safe
// for concurrent reading.
class Value {
 public:
  // NULL.
  Value() = default;
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

  // Invalid if it is infinite or not a whole number of nanoseconds.
  Value(absl::Time v);
  Value(Timestamp v) : kind_(Kind::kTimestamp), content_(v) {}

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

  Kind kind_ = Kind::kUnspecified;
  std::variant<std::monostate, bool, int64_t, double, Timestamp, std::string, std::vector<Value>,
               Invalid>
      content_;
};

// What can be an argument of a statement: anything that a Value is made of. NULL is none of
// these to be told by the compiler, to whom it is the integer 0: write nullptr.
template <typename T>
concept Argument = std::constructible_from<Value, T>;

// Prints DebugString().
std::ostream& operator<<(std::ostream& out, const Value& value);

}  // namespace penstock

#endif  // PENSTOCK_VALUE_H_
