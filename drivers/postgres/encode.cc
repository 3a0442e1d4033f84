#include "drivers/postgres/encode.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "drivers/api/error.h"
#include "drivers/api/text_forms.h"
#include "fmt/format.h"
#include "text/utf8.h"

namespace penstock::postgres {
namespace {

using driver::Kind;
using driver::MakeErrorWithHint;
using driver::Reason;
using driver::Value;

// Builds a value that is sent as text, element by element in an array.
class Encoder {
 public:
  Encoder(int number, std::string* out) : number_(number), out_(out) {}

  absl::Status Encode(const Value& value, const Type& type) {
    switch (value.kind) {
      case Kind::kBoolean: return Boolean(value, type);
      case Kind::kInteger: return Integer(value, type);
      case Kind::kReal: return Real(value, type);
      case Kind::kText: return Text(value, type);
      case Kind::kBlob: return Blob(value, type);
      case Kind::kDecimal: return Decimal(value, type);
      case Kind::kTimestamp: return Timestamp(value, type);
      case Kind::kArray: return Array(value, type);
      default: return Own(value, type);
    }
  }

 private:
  absl::Status Unsuitable(const Value& value, const Type& type) const {
    return MakeErrorWithHint(Reason::kInvalidParameter,
                             fmt::format("parameter {} is {}, but the server expects {}", number_,
                                         driver::KindName(value.kind), type.name),
                             fmt::format("send another kind, or write a cast: ${}::{}", number_,
                                         value.kind == Kind::kArray ? "type[]" : "type"));
  }
  absl::Status Inexact(const Value& value, const Type& type, std::string_view why) const {
    return driver::MakeError(Reason::kDataException,
                             fmt::format("parameter {}: this {} {}; the server expects {}", number_,
                                         driver::KindName(value.kind), why, type.name));
  }
  absl::Status Put(std::string_view text) {
    out_->append(text);
    return absl::OkStatus();
  }

  absl::Status Boolean(const Value& value, const Type& type) {
    if (type.base != oid::kBool) return Unsuitable(value, type);
    return Put(value.integer != 0 ? "t" : "f");
  }

  absl::Status Integer(const Value& value, const Type& type) {
    int64_t least = std::numeric_limits<int64_t>::min();
    int64_t most = std::numeric_limits<int64_t>::max();
    switch (type.base) {
      case oid::kInt2:
        least = std::numeric_limits<int16_t>::min();
        most = std::numeric_limits<int16_t>::max();
        break;
      case oid::kInt4:
        least = std::numeric_limits<int32_t>::min();
        most = std::numeric_limits<int32_t>::max();
        break;
      case oid::kOid:
        least = 0;
        most = std::numeric_limits<uint32_t>::max();
        break;
      case oid::kFloat4:
      case oid::kFloat8:
        // The integers that a double, or a float, has all of.
        most = int64_t{1} << (type.base == oid::kFloat8 ? 53 : 24);
        least = -most;
        break;
      case oid::kInt8:
      case oid::kNumeric: break;
      default: return Unsuitable(value, type);
    }
    if (value.integer < least || value.integer > most) {
      return Inexact(value, type, "is out of range");
    }
    fmt::format_to(std::back_inserter(*out_), "{}", value.integer);
    return absl::OkStatus();
  }

  absl::Status Real(const Value& value, const Type& type) {
    const bool whole = std::trunc(value.real) == value.real && std::abs(value.real) < 0x1p63;
    switch (type.base) {
      case oid::kInt2:
      case oid::kInt4:
      case oid::kInt8:
        if (!whole) return Inexact(value, type, "is not a whole number");
        return Integer(Value::Integer(static_cast<int64_t>(value.real)), type);
      case oid::kFloat4:
        if (!std::isnan(value.real) &&
            static_cast<double>(static_cast<float>(value.real)) != value.real) {
          return Inexact(value, type, "does not fit without rounding");
        }
        break;
      case oid::kFloat8:
      case oid::kNumeric: break;
      default: return Unsuitable(value, type);
    }
    if (std::isnan(value.real)) return Put("NaN");
    if (std::isinf(value.real)) return Put(value.real < 0 ? "-Infinity" : "Infinity");
    char digits[32];
    const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value.real);
    return Put({digits, static_cast<size_t>(end - digits)});
  }

  // Text goes to every type that is not made of numbers or bytes by itself: the
  // server reads it, and says so if it cannot.
  absl::Status Text(const Value& value, const Type& type) {
    if (type.kind == Kind::kBlob) return Unsuitable(value, type);
    if (value.text.find('\0') != std::string_view::npos) {
      return Inexact(value, type, "contains a NUL character, which PostgreSQL cannot store");
    }
    if (!IsUtf8(value.text)) return Inexact(value, type, "is not valid UTF-8");
    return Put(value.text);
  }

  absl::Status Blob(const Value& value, const Type& type) {
    if (type.base != oid::kBytea) return Unsuitable(value, type);
    constexpr char kDigits[] = "0123456789abcdef";
    out_->append("\\x");
    for (const char c : value.text) {
      const auto byte = static_cast<unsigned char>(c);
      out_->push_back(kDigits[byte >> 4]);
      out_->push_back(kDigits[byte & 15]);
    }
    return absl::OkStatus();
  }

  absl::Status Decimal(const Value& value, const Type& type) {
    std::string_view digits = value.text;
    const bool special = digits == "NaN" || digits == "Infinity" || digits == "-Infinity";
    if (!special && !driver::IsDecimal(digits)) {
      return Inexact(value, type, "is not digits with a sign, point or exponent");
    }
    switch (type.base) {
      case oid::kNumeric: return Put(digits);
      case oid::kInt2:
      case oid::kInt4:
      case oid::kInt8:
        // A point or an exponent would be rounded away.
        if (special || digits.find_first_of(".eE") != std::string_view::npos) {
          return Inexact(value, type, "is not a whole number");
        }
        return Put(digits);
      default: return Unsuitable(value, type);
    }
  }

  absl::Status Timestamp(const Value& value, const Type& type) {
    if (type.kind != Kind::kTimestamp) return Unsuitable(value, type);
    if (value.nanos % 1000 != 0) {
      return MakeErrorWithHint(
          Reason::kDataException,
          fmt::format(
              "parameter {}: this timestamp is finer than a microsecond, which {} cannot store",
              number_, type.name),
          "send whole microseconds: penstock::Timestamp::Micros(time), or Now(), of the C++ "
          "client");
    }
    const std::string text = driver::FormatTimestamp(value.integer, value.nanos);
    if (text.empty()) return Inexact(value, type, "is outside the years 1 to 9999");
    // The type without a zone is understood as UTC, and would ignore an offset.
    std::string_view bare = text;
    if (bare.ends_with('Z')) bare.remove_suffix(1);
    out_->append(bare);
    if (type.base == oid::kTimestamptz) out_->append("+00");
    return absl::OkStatus();
  }

  // Date, time, interval, uuid, json: to their own type, or to text as it is.
  absl::Status Own(const Value& value, const Type& type) {
    const bool text =
        type.base == oid::kText || type.base == oid::kVarchar || type.base == oid::kBpchar;
    if (type.kind != value.kind && !text) return Unsuitable(value, type);
    if (!IsWellFormed(value)) return Inexact(value, type, "has an invalid form");
    if (!text && IsFinerThanAMicrosecond(value)) {
      return Inexact(value, type, "is finer than a microsecond, and would be rounded");
    }
    if (value.kind == Kind::kTime && value.text.find_first_of("Z+-") != std::string_view::npos &&
        type.base == oid::kTime) {
      return Inexact(value, type, "has an offset");
    }
    return Text(value, type);
  }

  // What the server would refuse without saying which parameter it is. Of what
  // it has beside the standard (infinity, years before Christ) nothing is refused:
  // that can be sent as text.
  static bool IsWellFormed(const Value& value) {
    switch (value.kind) {
      case Kind::kDate: return driver::IsDate(value.text);
      case Kind::kUuid: return driver::IsUuid(value.text);
      case Kind::kInterval: return driver::IsInterval(value.text);
      default: return true;
    }
  }

  // The server would round it: 23:59:59.9999999 becomes 24:00:00.
  static bool IsFinerThanAMicrosecond(const Value& value) {
    if (value.kind != Kind::kTime && value.kind != Kind::kInterval) return false;
    constexpr size_t kDigits = 6;
    const std::string_view text = value.text;
    for (size_t i = text.find_first_of(".,"); i < text.size();
         i = text.find_first_of(".,", i + 1)) {
      const size_t end = std::min(text.find_first_not_of("0123456789", i + 1), text.size());
      const std::string_view digits = text.substr(i + 1, end - i - 1);
      if (digits.find_first_not_of('0', kDigits) != std::string_view::npos) return true;
    }
    return false;
  }

  absl::Status Array(const Value& value, const Type& type) {
    if (type.element == nullptr) return Unsuitable(value, type);
    out_->push_back('{');
    bool first = true;
    for (const Value& element : value.elements) {
      if (!std::exchange(first, false)) out_->push_back(type.element->delimiter);
      absl::Status encoded = Element(element, type);
      if (!encoded.ok()) return encoded;
    }
    out_->push_back('}');
    return absl::OkStatus();
  }

  absl::Status Element(const Value& element, const Type& type) {
    if (element.is_null()) return Put("NULL");
    // A list within a list is a further dimension, unless the elements are lists themselves.
    const bool of_lists = type.element->element != nullptr;
    if (element.kind == Kind::kArray && !of_lists) return Array(element, type);
    std::string plain;
    absl::Status encoded = Encoder(number_, &plain).Encode(element, *type.element);
    if (!encoded.ok()) return encoded;
    out_->push_back('"');
    for (const char c : plain) {
      if (c == '"' || c == '\\') out_->push_back('\\');
      out_->push_back(c);
    }
    out_->push_back('"');
    return absl::OkStatus();
  }

  const int number_;
  std::string* const out_;
};

}  // namespace

absl::Status EncodeParameter(int number, const Value& value, const Type& type, std::string* arena,
                             Parameter* parameter) {
  *parameter = {};
  parameter->null = value.is_null();
  if (parameter->null) return absl::OkStatus();
  if (value.kind == Kind::kBlob && type.base == oid::kBytea) {
    parameter->binary = true;
    parameter->direct = value.text.data() == nullptr ? "" : value.text.data();
    parameter->size = value.text.size();
    return absl::OkStatus();
  }
  parameter->offset = arena->size();
  absl::Status encoded = Encoder(number, arena).Encode(value, type);
  parameter->size = arena->size() - parameter->offset;
  // libpq wants a NUL at the end of a text.
  arena->push_back('\0');
  return encoded;
}

}  // namespace penstock::postgres
