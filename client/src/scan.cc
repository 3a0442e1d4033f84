#include "penstock/scan.h"

#include <cmath>

#include "client/src/status.h"
#include "fmt/format.h"

namespace penstock {

ValueView ValueView::Of(const Value& value) {
  ValueView view{.kind = value.kind()};
  switch (value.kind()) {
    case Kind::kUnspecified: break;
    case Kind::kBoolean: view.integer = value.boolean(); break;
    case Kind::kInteger: view.integer = value.integer(); break;
    case Kind::kReal: view.real = value.real(); break;
    case Kind::kTimestamp:
      view.integer = value.timestamp().seconds;
      view.nanos = value.timestamp().nanos;
      break;
    case Kind::kArray: view.elements = &value.elements(); break;
    default: view.text = value.text();
  }
  return view;
}

Value ValueView::Copy() const {
  switch (kind) {
    case Kind::kUnspecified: return Value();
    case Kind::kBoolean: return Value(integer != 0);
    case Kind::kInteger: return Value(integer);
    case Kind::kReal: return Value(real);
    case Kind::kText: return Value(text);
    case Kind::kBlob: return Value(Bytes{std::string(text)});
    case Kind::kDecimal: return Value::Decimal(std::string(text));
    case Kind::kTimestamp: return Value(Timestamp{integer, nanos});
    case Kind::kDate: return Value::Date(std::string(text));
    case Kind::kTime: return Value::Time(std::string(text));
    case Kind::kInterval: return Value::Interval(std::string(text));
    case Kind::kUuid: return Value::Uuid(std::string(text));
    case Kind::kJson: return Value::Json(std::string(text));
    case Kind::kArray: return Value::Array(*elements);
  }
  return Value();
}

namespace internal {
namespace {

absl::Status Refuse(const ValueView& from, std::string_view target, std::string_view why = "") {
  if (from.kind == Kind::kUnspecified) {
    return InvalidParameter(
        fmt::format("NULL cannot be read as {0}; use std::optional<{0}> or Value", target));
  }
  return InvalidParameter(fmt::format("{} cannot be read as {}{}{}", KindName(from.kind), target,
                                      why.empty() ? "" : ": ", why));
}

// The double that is exactly `value`, if there is one.
bool ToExactReal(int64_t value, double* to) {
  *to = static_cast<double>(value);
  // The greatest int64 rounds up to 2^63, which does not convert back.
  return *to < 0x1p63 && static_cast<int64_t>(*to) == value;
}

}  // namespace

absl::Status ReadInteger(const ValueView& from, int64_t min, int64_t max, std::string (*target)(),
                         int64_t* to) {
  if (from.kind != Kind::kInteger) return Refuse(from, target());
  if (from.integer < min || from.integer > max) return Refuse(from, target(), "it is out of range");
  *to = from.integer;
  return absl::OkStatus();
}

absl::Status Read(const ValueView& from, bool* to) {
  if (from.kind == Kind::kInteger) {
    if (from.integer != 0 && from.integer != 1) {
      return Refuse(from, "bool", "it is neither 0 nor 1");
    }
  } else if (from.kind != Kind::kBoolean) {
    return Refuse(from, "bool");
  }
  *to = from.integer != 0;
  return absl::OkStatus();
}

absl::Status Read(const ValueView& from, double* to) {
  if (from.kind == Kind::kReal) {
    *to = from.real;
    return absl::OkStatus();
  }
  if (from.kind == Kind::kDecimal) {
    return Refuse(from, "double", "it might be rounded; use std::string");
  }
  if (from.kind != Kind::kInteger) return Refuse(from, "double");
  double exact = 0;
  if (!ToExactReal(from.integer, &exact)) return Refuse(from, "double", "it would be rounded");
  *to = exact;
  return absl::OkStatus();
}

absl::Status Read(const ValueView& from, float* to) {
  if (from.kind != Kind::kReal && from.kind != Kind::kInteger) return Refuse(from, "float");
  double wide = 0;
  if (!Read(from, &wide).ok()) return Refuse(from, "float", "it would be rounded");
  // Converting a finite double beyond the range of float is undefined.
  const bool fits = std::isnan(wide) || std::isinf(wide) ||
                    (std::fabs(wide) <= std::numeric_limits<float>::max() &&
                     static_cast<double>(static_cast<float>(wide)) == wide);
  if (!fits) return Refuse(from, "float", "it would be rounded; use double");
  *to = static_cast<float>(wide);
  return absl::OkStatus();
}

absl::Status Read(const ValueView& from, std::string* to) {
  switch (from.kind) {
    case Kind::kText:
    case Kind::kDecimal:
    case Kind::kDate:
    case Kind::kTime:
    case Kind::kInterval:
    case Kind::kUuid:
    case Kind::kJson: to->assign(from.text); return absl::OkStatus();
    case Kind::kBlob: return Refuse(from, "std::string", "use penstock::Bytes");
    default: return Refuse(from, "std::string");
  }
}

absl::Status Read(const ValueView& from, Bytes* to) {
  if (from.kind != Kind::kBlob) return Refuse(from, "penstock::Bytes");
  to->data.assign(from.text);
  return absl::OkStatus();
}

absl::Status Read(const ValueView& from, Timestamp* to) {
  if (from.kind != Kind::kTimestamp) return Refuse(from, "penstock::Timestamp");
  *to = {from.integer, from.nanos};
  return absl::OkStatus();
}

absl::Status Read(const ValueView& from, absl::Time* to) {
  if (from.kind != Kind::kTimestamp) return Refuse(from, "absl::Time");
  *to = absl::FromUnixSeconds(from.integer) + absl::Nanoseconds(from.nanos);
  return absl::OkStatus();
}

absl::Status Read(const ValueView& from, Value* to) {
  *to = from.Copy();
  return absl::OkStatus();
}

}  // namespace internal
}  // namespace penstock
