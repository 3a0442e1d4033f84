// From a value of a row to a variable. Rows::Scan does this for a whole row;
// use Convert for a Value at hand.
//
//   variable                   takes
//   any integer type           integer, if it is in range
//   double, float              real (float: if exact), integer if exact
//   bool                       boolean, and the integers 0 and 1, since a condition
//                              on SQLite is an integer
//   std::string                text, decimal, date, time, interval, uuid, json
//   Bytes                      blob
//   absl::Time                 timestamp
//   Timestamp                  timestamp
//   Value                      anything, NULL too
//   std::optional<T>           NULL, or what T takes
//
// Anything else is INVALID_ARGUMENT, and the variable keeps its content.
#ifndef PENSTOCK_SCAN_H_
#define PENSTOCK_SCAN_H_

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "penstock/value.h"

namespace penstock {

// A value that belongs to somebody else, who keeps it alive. Users have no need
// of it; implementations of Rows give it to Destination::Assign.
struct ValueView {
  // kUnspecified is NULL.
  Kind kind = Kind::kUnspecified;
  // kTimestamp.
  int32_t nanos = 0;
  // kBoolean (0 or 1), kInteger, and the seconds of kTimestamp.
  int64_t integer = 0;
  // kReal.
  double real = 0;
  // Every kind that travels as text or bytes.
  std::string_view text = {};
  // kArray.
  const std::vector<Value>* elements = nullptr;

  static ValueView Of(const Value& value);
  Value Copy() const;
};

namespace internal {

// What a variable is called in a refusal.
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

}  // namespace internal

// A type that a value can be scanned into.
template <typename T>
concept Scannable = requires(const ValueView& from, T* to) {
  internal::Read(from, to);
};

// A variable of any Scannable type. It borrows the variable.
class Destination {
 public:
  template <Scannable T>
  explicit Destination(T* variable)
      : variable_(variable), assign_([](const ValueView& from, void* to) {
          return internal::Read(from, static_cast<T*>(to));
        }) {}

  // INVALID_ARGUMENT that names the value's kind and the variable's type.
  absl::Status Assign(const ValueView& from) const { return assign_(from, variable_); }

 private:
  void* variable_;
  absl::Status (*assign_)(const ValueView&, void*);
};

// Converts one value by the rules above.
template <Scannable T>
absl::Status Convert(const Value& from, T* to) {
  return internal::Read(ValueView::Of(from), to);
}

}  // namespace penstock

#endif  // PENSTOCK_SCAN_H_
