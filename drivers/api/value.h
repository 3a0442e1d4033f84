// Values as drivers see them: parameters on their way in, kinds of columns on
// their way out (rows themselves go through RowWriter, see row_writer.h).
#ifndef PENSTOCK_DRIVERS_API_VALUE_H_
#define PENSTOCK_DRIVERS_API_VALUE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/kind_names.h"

namespace penstock::driver {

// The kind of a value, whatever the backend calls it. The numbers are those of
// penstock.v1.Kind; kUnspecified means "not known before the value is seen".
enum class Kind : uint8_t {
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

// "integer", "text", …: the names of the fields of penstock.v1.Value.
constexpr std::string_view KindName(Kind kind) { return NameOfKind(static_cast<size_t>(kind)); }

// One parameter. It borrows its bytes and elements: whoever made it keeps them
// alive until the call that uses it has returned. A default Value is NULL.
struct Value {
  // kUnspecified is NULL.
  Kind kind = Kind::kUnspecified;
  // kTimestamp: nanoseconds within the second, 0 to 999,999,999.
  int32_t nanos = 0;
  // kBoolean (0 or 1), kInteger, and the seconds since the epoch of kTimestamp.
  int64_t integer = 0;
  // kReal.
  double real = 0;
  // Every kind that travels as text or bytes: kText, kBlob, kDecimal, kDate,
  // kTime, kInterval, kUuid, kJson.
  std::string_view text;
  // kArray.
  std::span<const Value> elements;

  bool is_null() const { return kind == Kind::kUnspecified; }

  static Value Null() { return {}; }
  static Value Boolean(bool v) { return {.kind = Kind::kBoolean, .integer = v}; }
  static Value Integer(int64_t v) { return {.kind = Kind::kInteger, .integer = v}; }
  static Value Real(double v) { return {.kind = Kind::kReal, .real = v}; }
  static Value Text(std::string_view v) { return {.kind = Kind::kText, .text = v}; }
  static Value Blob(std::string_view v) { return {.kind = Kind::kBlob, .text = v}; }
  // Any kind whose content is `text`.
  static Value Of(Kind kind, std::string_view v) { return {.kind = kind, .text = v}; }
  static Value Timestamp(int64_t seconds, int32_t nanos) {
    return {.kind = Kind::kTimestamp, .nanos = nanos, .integer = seconds};
  }
};

// One column of a result.
struct Column {
  std::string name;
  // The declared kind; a single value may differ on a backend with dynamic types.
  Kind kind = Kind::kUnspecified;
  // The backend's own name of the type, or empty.
  std::string native_type;

  bool operator==(const Column&) const = default;
};

// The columns of a statement: immutable and shared, so that a prepared
// statement hands out the same object on every run and a writer that has seen
// it recognises it by address.
using Columns = std::shared_ptr<const std::vector<Column>>;

}  // namespace penstock::driver

#endif  // PENSTOCK_DRIVERS_API_VALUE_H_
